/** @file The gradient of causal attention, with the probabilities computed again instead of kept. */
import { at } from "../../shared/errors.ts";
import { causalMask } from "../core/causal-mask.ts";
import type { Graph, Value } from "../core/graph.ts";
import {
  add,
  matmul,
  matrixTranspose,
  mul,
  reduceSum,
  reshape,
  softmax,
  sub,
  transpose,
} from "../core/ops.ts";

/** Gradients of q, k and v. Query heads of one group are rows of one product, so that keys are never repeated. */
export function causalAttentionGradient(
  g: Graph,
  dy: Value,
  inputs: readonly Value[],
  y: Value,
  scale: number,
): readonly Value[] {
  const [q, k, v] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
  const [batch, length, heads, dim] = [
    at(q.shape, 0),
    at(q.shape, 1),
    at(q.shape, 2),
    at(q.shape, 3),
  ];
  const groups = at(k.shape, 2);
  const perGroup = heads / groups;
  const rows = perGroup * length;

  const toGroups = (x: Value): Value => {
    const size = at(x.shape, 3);
    const split = reshape(g, x, [batch, length, groups, perGroup, size]);
    return reshape(g, transpose(g, split, [0, 2, 3, 1, 4]), [batch, groups, rows, size]);
  };
  const fromGroups = (x: Value): Value => {
    const split = reshape(g, x, [batch, groups, perGroup, length, dim]);
    return reshape(g, transpose(g, split, [0, 3, 1, 2, 4]), [batch, length, heads, dim]);
  };
  const toHeads = (x: Value): Value => transpose(g, x, [0, 2, 1, 3]);

  const queries = toGroups(q);
  const keys = toHeads(k);
  const outputs = toGroups(dy);
  const scores = reshape(g, matmul(g, queries, keys, { transB: true, alpha: scale }), [
    batch,
    heads,
    length,
    length,
  ]);
  const masked = add(g, scores, causalMask(g, length, length));
  const probabilities = reshape(g, softmax(g, masked), [batch, groups, rows, length]);

  // Nine times the size of q at 256 tokens: cheaper to compute again than to keep.
  for (const value of [scores, probabilities]) markRecomputed(g, value);

  // (doᵀ P)ᵀ: transposing P itself, the larger of the two, is what costs.
  const dv = matrixTranspose(g, matmul(g, outputs, probabilities, { transA: true }));
  const dp = matmul(g, outputs, toHeads(v), { transB: true });
  const dot = toGroups(reshape(g, reduceSum(g, mul(g, dy, y), [-1]), [batch, length, heads, 1]));
  const ds = mul(g, probabilities, sub(g, dp, dot));
  const dq = fromGroups(matmul(g, ds, keys, { alpha: scale }));
  const dk = matrixTranspose(g, matmul(g, queries, ds, { transA: true, alpha: scale }));
  return [dq, toHeads(dk), toHeads(dv)];
}

/** Marks what a layout operator made, and what it was made of. */
function markRecomputed(g: Graph, value: Value): void {
  g.recomputed.add(value);
  const node = g.producer(value);
  if (node?.op === "Reshape") markRecomputed(g, at(node.inputs, 0));
}
