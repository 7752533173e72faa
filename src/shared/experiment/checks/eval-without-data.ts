/** @file A rhythm of measurements without data to measure on. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const evalWithoutData: Check = {
  code: "eval-without-data",
  severity: "warning",
  doc: "`eval.every` says how often `data.eval` is measured, and has no effect without it.",
  find: ({ data }, { chooses, document }) =>
    chooses("eval.every") && data.eval === null
      ? [
          {
            path: "eval.every",
            message: "Nothing is measured: there is no `data.eval`.",
            remedy: "Add `data.eval`, or remove `every`.",
            ...removed(document, ["eval", "every"]),
          },
        ]
      : [],
};
