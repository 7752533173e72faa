/** @file Forgetting measured on a model that predicts no text. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const forgettingOfClassifier: Check = {
  code: "forgetting-of-classifier",
  severity: "error",
  doc: "Forgetting is the change of the loss on general text, which a classifier does not have.",
  find: ({ task, eval: { forgetting } }, { document }) =>
    task === "sequence-classification" && forgetting !== null
      ? [
          {
            path: "eval.forgetting",
            message: "`forgetting` has no meaning here: a classifier has no loss on text.",
            remedy: "Remove it.",
            ...removed(document, ["eval", "forgetting"]),
          },
        ]
      : [],
};
