/** @file The tensors of all blocks of a model. */
import type { Model, TensorSpec } from "./architecture.ts";

/** In the order of the blocks; tied ones once for each that reads them. */
export function allTensors({ blocks }: Pick<Model, "blocks">): readonly TensorSpec[] {
  return blocks.flatMap(({ tensors }) => tensors);
}
