/** @file Early stopping without anything that is measured. */
import type { Check } from "./check.ts";

export const earlyStopWithoutEval: Check = {
  code: "early-stop-without-eval",
  severity: "error",
  doc: "Early stopping waits for measurements of `data.eval`; without it the run would never stop early.",
  find: ({ data, eval: { early_stop: stop } }) =>
    stop !== null && data.eval === null
      ? [
          {
            path: "eval.early_stop",
            message: "Early stopping needs measurements, and there is no `data.eval`.",
            remedy:
              "Add `data.eval`, such as `{ from: train, share: 0.05 }`, or remove `early_stop`.",
          },
        ]
      : [],
};
