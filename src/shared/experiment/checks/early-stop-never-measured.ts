/** @file Early stopping with a single measurement, at the end. */
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const earlyStopNeverMeasured: Check = {
  code: "early-stop-never-measured",
  severity: "warning",
  doc: "Measured at the end only, a metric cannot stop the run before the end.",
  find: ({ eval: { early_stop: stop, every } }, { document }) =>
    stop !== null && every.unit === "end"
      ? [
          {
            path: "eval.every",
            message: "Early stopping has nothing to watch: the run is measured at its end only.",
            remedy: "Measure during the run, such as `every: 50 steps`.",
            ...fixedValue(document, ["eval", "every"], "50 steps"),
          },
        ]
      : [],
};
