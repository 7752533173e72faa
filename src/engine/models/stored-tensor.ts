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

/** What the checkpoint has of a tensor; undefined where it lacks it. */
export function storedTensor<T>(
  model: Pick<Model, "basePrefix">,
  tensors: ReadonlyMap<string, T>,
  tensor: Pick<TensorSpec, "source" | "stored">,
): T | undefined {
  const name = storedName(model, tensors, tensor);
  return name === undefined ? undefined : tensors.get(name);
}
