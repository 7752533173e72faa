/** @file The mask that keeps queries from later keys. */
import type { Graph, Value } from "./graph.ts";
import { constant } from "./ops.ts";

/** What forbids a key: large enough that its weight is exactly 0 in float32, small enough to stay finite. */
export const forbidden = -1e30;

/** [length, keys], added to scores: query i may see keys up to i + keys − length. */
export function causalMask(g: Graph, length: number, keys: number): Value {
  const mask = new Float32Array(length * keys);
  for (let query = 0; query < length; query++)
    mask.fill(forbidden, query * keys + query + keys - length + 1, (query + 1) * keys);
  return constant(g, "float32", [length, keys], mask);
}
