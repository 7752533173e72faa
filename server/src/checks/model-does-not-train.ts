/** @file A model whose architecture, or a field of whose config.json, is not supported for training. */
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";

export const modelDoesNotTrain: FactCheck = {
  code: "model-does-not-train",
  severity: "error",
  doc: "Any model can be looked into; training needs its architecture, and refuses what would change its results.",
  find: ({ model, document }) =>
    (valueOf(model)?.findings ?? [])
      .filter(({ severity }) => severity === "error")
      .map(({ message, remedy, place }) => ({
        // What is wrong with the task is shown there, where the files say one.
        path:
          place?.field === "task" && nodeAt(document, ["task"]) !== undefined ? "task" : "model",
        message,
        ...(remedy !== undefined && { remedy }),
      })),
};
