/** @file How causal attention becomes ONNX Runtime's own operator for grouped heads. */
import { at } from "../../shared/errors.ts";
import type { NodeOf, Value } from "../core/graph.ts";
import type { Emitter } from "./emitter.ts";
import { float, int, microsoft, outputName } from "./emitter.ts";

/**
 * GroupQueryAttention without a cache: it works block by block and never holds all scores. It wants heads of a
 * multiple of 8, to which smaller ones are padded with zeros: they add nothing to a product.
 */
export function causalAttention(e: Emitter, node: NodeOf<"CausalAttention">): void {
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
