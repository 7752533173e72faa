/** @file Finds a model's tensor among those of a checkpoint, under any name that it may have there. */
import type { Model, TensorSpec } from "./architecture.ts";
import { checkpointNames } from "./tensor-specs.ts";

/** The name that the checkpoint has for a tensor; undefined where it lacks it. */
export function storedName(
  model: Pick<Model, "basePrefix">,
  tensors: ReadonlyMap<string, unknown>,
  { source, stored = source }: Pick<TensorSpec, "source" | "stored">,
): string | undefined {
  return checkpointNames(model, stored).find((name) => tensors.has(name));
}
