/** @file What placing tensors of several kinds of adapters has in common. */
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Checked } from "../../shared/findings.ts";
import { storedShape } from "../exports/tensor-values.ts";
import { allTensors } from "../models/all-tensors.ts";
import type { Model } from "../models/architecture.ts";
import type { PlacedAdapter, PlacedTensor } from "./place-adapter.ts";
import { filesOf } from "./place-adapter.ts";

/** The method's own tensors, and those of the model that the file brings under `prefix`; others are refused. */
export function placedWith(
  choice: MethodChoice,
  own: readonly PlacedTensor[],
  prefix: string,
  names: ReadonlySet<string>,
  model: Model,
): Checked<PlacedAdapter> {
  const saved = allTensors(model)
    .filter(({ source }) => names.has(`${prefix}${source}`))
    .map((tensor) => ({
      name: `${prefix}${tensor.source}`,
      shape: storedShape(tensor),
      parameter: tensor.source,
      replaces: tensor,
    }));
  const known = new Set([...own, ...saved].flatMap(filesOf).map(({ name }) => name));
  const unknown = [...names].find((name) => !known.has(name));
  return {
    value: { choice, tensors: [...own, ...saved], embeddings: [], copies: [] },
    findings:
      unknown === undefined
        ? []
        : [
            {
              code: "unexpected-adapter-tensor",
              severity: "error",
              message: `The adapter has the tensor ${unknown}, which the model has no place for.`,
              remedy: "Give the base model that the adapter was trained on.",
            },
          ],
  };
}
