/** @file Final metrics without test data. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const finalWithoutTest: Check = {
  code: "final-without-test",
  severity: "warning",
  doc: "`eval.final` is measured on `data.test`, once, after the last step.",
  find: ({ data, eval: { final } }, { document }) =>
    final.length > 0 && data.test === null
      ? [
          {
            path: "eval.final",
            message: "`final` is measured on `data.test`, which is not given.",
            remedy: "Add `data.test`, or move the metrics to `eval.metrics`.",
            ...removed(document, ["eval", "final"]),
          },
        ]
      : [],
};
