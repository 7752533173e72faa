/** @file A number for each group of neighbouring inputs of an output, spread over the weights of the group. */
import type { Graph, Value } from "../core/graph.ts";
import { expand, reshape, slice } from "../core/ops.ts";
import type { SiteShape } from "./define.ts";

/** Groups of a row; 0 is one for all of it, and the last may be short. */
export function groupCount({ in: width }: SiteShape, group: number): number {
  return group === 0 ? 1 : Math.ceil(width / group);
}

/** [out, groups] to [out, in], or to [out, 1] where a row is one group. */
export function spreadGroups(g: Graph, values: Value, group: number, width: number): Value {
  const [out = 1, count = 1] = values.shape;
  if (count === 1) return values;
  const each = expand(g, reshape(g, values, [out, count, 1]), [out, count, group]);
  const whole = reshape(g, each, [out, count * group]);
  return count * group === width ? whole : slice(g, whole, 1, 0, width);
}

/** Calls `visit` with each group's number and its weights W [out, in]. */
export function eachWeightGroup(
  { in: width, out }: SiteShape,
  group: number,
  W: Float32Array,
  visit: (index: number, weights: Float32Array) => void,
): void {
  const count = groupCount({ in: width, out }, group);
  const size = group === 0 ? width : group;
  for (let row = 0; row < out; row++)
    for (let k = 0; k < count; k++) {
      const from = row * width + k * size;
      visit(row * count + k, W.subarray(from, Math.min(from + size, (row + 1) * width)));
    }
}
