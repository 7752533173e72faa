/** @file Scaled dot-product attention over grouped heads, as graph nodes. */
import { at } from "../../shared/errors.ts";
import { causalMask } from "../core/causal-mask.ts";
import type { Graph, Value } from "../core/graph.ts";
import {
  add,
  causalAttention,
  concat,
  matmul,
  pad,
  reshape,
  softmax,
  transpose,
} from "../core/ops.ts";
import type { LayerContext } from "./architecture.ts";

export interface AttentionInputs {
  /** [batch, length, heads, headDim] */
  readonly queries: Value;
  /** [batch, length, keyValueHeads, headDim] */
  readonly keys: Value;
  readonly values: Value;
}

/**
 * softmax(q kᵀ / √headDim + mask) v: [batch · length, heads · headDim]. Query heads of one key-value head
 * are stacked as rows of one product, so that keys and values are never repeated.
 */
export function attention(g: Graph, inputs: AttentionInputs, context: LayerContext): Value {
  const { batch, length } = context;
  const heads = at(inputs.queries.shape, 2);
  const headDim = at(inputs.queries.shape, 3);
  const groups = at(inputs.keys.shape, 2);
  const perGroup = heads / groups;

  const { past, prefix } = context;
  const seen = context.onKeysValues ?? context.onAttention;
  const plain = context.causal && !context.bias && !past && !prefix && !seen;
  if (plain) {
    const { queries, keys, values } = inputs;
    const mixed = causalAttention(g, queries, keys, values, 1 / Math.sqrt(headDim));
    return reshape(g, mixed, [batch * length, heads * headDim]);
  }

  const ownKeys = transpose(g, inputs.keys, [0, 2, 1, 3]);
  const ownValues = transpose(g, inputs.values, [0, 2, 1, 3]);
  context.onKeysValues?.(ownKeys, ownValues);
  const before = [...(prefix ? [prefix] : []), ...(past ? [past] : [])];
  const joined = (parts: readonly Value[]): Value =>
    parts.length > 1 ? concat(g, parts, 2) : at(parts, 0);
  const keys = joined([...before.map((part) => part.keys), ownKeys]);
  const values = joined([...before.map((part) => part.values), ownValues]);
  const keyCount = at(keys.shape, 2);

  const grouped = reshape(g, inputs.queries, [batch, length, groups, perGroup, headDim]);
  const queries = reshape(g, transpose(g, grouped, [0, 2, 3, 1, 4]), [
    batch,
    groups,
    perGroup * length,
    headDim,
  ]);
  const scores = matmul(g, queries, keys, { transB: true, alpha: 1 / Math.sqrt(headDim) });
  let masked = reshape(g, scores, [batch, heads, length, keyCount]);
  if (context.causal) masked = add(g, masked, causalMask(g, length, keyCount));
  if (context.bias) masked = add(g, masked, withPrefix(g, context.bias, prefix));
  const shares = softmax(g, masked);
  context.onAttention?.(shares);
  const weights = reshape(g, shares, [batch, groups, perGroup * length, keyCount]);
  const mixed = reshape(g, matmul(g, weights, values), [batch, groups, perGroup, length, headDim]);
  return reshape(g, transpose(g, mixed, [0, 3, 1, 2, 4]), [batch * length, heads * headDim]);
}

/** A bias over keys that leaves those of a prefix as they are. */
function withPrefix(g: Graph, bias: Value, prefix: LayerContext["prefix"]): Value {
  return prefix ? pad(g, bias, 3, at(prefix.keys.shape, 2), 0) : bias;
}
