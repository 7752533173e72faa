/** @file The sizes of a model that is narrower than another. */
import type { ModelSizes } from "./architecture.ts";

/** Whole heads of the same size are left out, so that rotary positions stay what they are; the hidden state is as wide as they. */
export function narrowSizes(sizes: ModelSizes, factor: number): ModelSizes {
  const heads = Math.max(1, Math.floor(sizes.heads / factor));
  const most = Math.max(1, Math.floor(sizes.keyValueHeads / factor));
  // Heads must divide into their groups.
  const groups = Array.from({ length: most }, (_, index) => most - index);
  return {
    ...sizes,
    heads,
    keyValueHeads: groups.find((count) => heads % count === 0) ?? 1,
    hidden: heads * sizes.headDim,
    intermediate: Math.max(1, Math.floor(sizes.intermediate / factor)),
  };
}
