/** @file A best checkpoint that nothing chooses. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const bestWithoutEval: Check = {
  code: "best-without-eval",
  severity: "warning",
  doc: "The best checkpoint is the one that measures best on `data.eval`; without it there is none.",
  find: ({ data }, { chooses, document }) =>
    chooses("eval.best.metric") && data.eval === null
      ? [
          {
            path: "eval.best",
            message: "Nothing chooses a best checkpoint: there is no `data.eval`.",
            remedy: "Add `data.eval`, or remove `best`.",
            ...removed(document, ["eval", "best"]),
          },
        ]
      : [],
};
