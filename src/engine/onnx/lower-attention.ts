/** @file How causal attention becomes ONNX Runtime's own operator for grouped heads. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { at } from "../../shared/errors.ts";
import { forbidden } from "../core/causal-mask.ts";
import type { NodeOf, Value } from "../core/graph.ts";
import type { Emitter } from "./emitter.ts";
import { float, int, ints, microsoft, onnxTypes, outputName } from "./emitter.ts";

/**
 * ONNX Runtime's operator on the CPU. On WebGPU 1.30 gives wrong results without an error from 33 tokens
 * on, and the other devices have not shown theirs: there it is written out.
 */
export function causalAttention(e: Emitter, node: NodeOf<"CausalAttention">): void {
  if (e.device === "cpu") fused(e, node);
  else writtenOut(e, node);
}

/**
 * GroupQueryAttention without a cache: it works block by block and never holds all scores. It wants heads of a
 * multiple of 8, to which smaller ones are padded with zeros: they add nothing to a product.
 */
function fused(e: Emitter, node: NodeOf<"CausalAttention">): void {
  const [q, k, v] = [at(node.inputs, 0), at(node.inputs, 1), at(node.inputs, 2)];
  const [batch = 1, length = 1, heads = 1, dim = 1] = q.shape;
  const groups = at(k.shape, 2);
  const missing = (8 - (dim % 8)) % 8;
  const flat = (value: Value, count: number): string => {
    const wide =
      missing === 0
        ? e.name(value)
        : e.call("Pad", [e.name(value), e.int64([0, 0, 0, 0, 0, 0, 0, missing])]);
    return e.call("Reshape", [wide, e.int64([batch, length, count * (dim + missing)])]);
  };
  const lengths = e.fresh();
  e.constant(lengths, "int32", [batch], new Int32Array(batch).fill(length - 1));
  const total = e.fresh();
  e.constant(total, "int32", [1], Int32Array.of(length));
  const mixed = e.call(
    "GroupQueryAttention",
    [flat(q, heads), flat(k, groups), flat(v, groups), "", "", lengths, total],
    { num_heads: int(heads), kv_num_heads: int(groups), scale: float(node.attributes.scale) },
    microsoft,
  );
  if (missing === 0) {
    e.node("Reshape", [mixed, e.int64(q.shape)], [outputName(e, node)]);
    return;
  }
  const split = e.call("Reshape", [mixed, e.int64([batch, length, heads, dim + missing])]);
  const inputs = [split, e.int64([0]), e.int64([dim]), e.int64([3])];
  e.node("Slice", inputs, [outputName(e, node)]);
}

/** softmax(scale q kᵀ + mask) v; the query heads of a group are rows of one product. */
function writtenOut(e: Emitter, node: NodeOf<"CausalAttention">): void {
  const [q, k, v] = [at(node.inputs, 0), at(node.inputs, 1), at(node.inputs, 2)];
  const [batch = 1, length = 1, heads = 1, dim = 1] = q.shape;
  const groups = at(k.shape, 2);
  const perGroup = heads / groups;
  const reshape = (x: string, shape: Shape): string => e.call("Reshape", [x, e.int64(shape)]);
  const transpose = (x: string, perm: readonly number[]): string =>
    e.call("Transpose", [x], { perm: ints(perm) });

  const split = reshape(e.name(q), [batch, length, groups, perGroup, dim]);
  const rows = [batch, groups, perGroup * length];
  const queries = reshape(transpose(split, [0, 2, 3, 1, 4]), [...rows, dim]);
  const products = e.call("MatMul", [queries, transpose(e.name(k), [0, 2, 3, 1])]);
  const scores = e.call("Mul", [products, e.scalar(q.dtype, node.attributes.scale)]);
  const perHead = reshape(scores, [batch, heads, length, length]);
  const weights = e.call("Softmax", [e.call("Add", [perHead, mask(e, length, q.dtype)])], {
    axis: int(-1),
  });
  const values = transpose(e.name(v), [0, 2, 1, 3]);
  const mixed = e.call("MatMul", [reshape(weights, [...rows, length]), values]);
  const joined = transpose(reshape(mixed, [batch, groups, perGroup, length, dim]), [0, 3, 1, 2, 4]);
  e.node("Reshape", [joined, e.int64(q.shape)], [outputName(e, node)]);
}

/** [length, length]: 0 up to the diagonal; behind it what makes a weight exactly 0 and stays finite. */
function mask(e: Emitter, length: number, dtype: DType): string {
  const data = new Float32Array(length * length);
  const least = dtype === "float16" ? -6e4 : forbidden;
  for (let row = 0; row < length; row++)
    data.fill(least, row * length + row + 1, (row + 1) * length);
  const name = e.fresh();
  e.constant(name, "float32", [length, length], data);
  return dtype === "float32" ? name : e.call("Cast", [name], { to: int(onnxTypes[dtype]) });
}
