/** @file The weights of one layer that is open for a quantizer. */
import { invariant } from "../../shared/errors.ts";
import type { HeldTensor } from "../network/base-weights.ts";

/** A tensor of the layer that was read in float32. */
export function heldOf(
  weights: ReadonlyMap<string, HeldTensor>,
  source: string,
): HeldTensor & { readonly type: "float32" } {
  const held = weights.get(source);
  invariant(held?.type === "float32", `${source} was not read`);
  return held;
}
