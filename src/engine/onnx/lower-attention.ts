/** @file How causal attention becomes ONNX Runtime's own operator for grouped heads. */
import { at, invariant } from "../../shared/errors.ts";
import type { NodeOf, Value } from "../core/graph.ts";
import type { Emitter } from "./emitter.ts";
import { float, int, microsoft, outputName } from "./emitter.ts";

/** GroupQueryAttention without a cache: it works block by block and never holds all scores. */
export function causalAttention(e: Emitter, node: NodeOf<"CausalAttention">): void {
  invariant(e.device === "cpu", "models are traced without fused attention elsewhere");
  const [q, k, v] = [at(node.inputs, 0), at(node.inputs, 1), at(node.inputs, 2)];
  const [batch, length, heads, dim] = [at(q.shape, 0), at(q.shape, 1), at(q.shape, 2), at(q.shape, 3)];
  const groups = at(k.shape, 2);
  const flat = (value: Value, count: number): string =>
    e.call("Reshape", [e.name(value), e.int64([batch, length, count * dim])]);
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
  e.node("Reshape", [mixed, e.int64(q.shape)], [outputName(e, node)]);
}
