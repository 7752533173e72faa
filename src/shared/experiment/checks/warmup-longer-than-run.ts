/** @file A warm-up that lasts as long as the run. */
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const warmupLongerThanRun: Check = {
  code: "warmup-longer-than-run",
  severity: "error",
  doc: "A learning rate that still rises at the end never reaches its top.",
  find: ({ train: { warmup_steps: warmup, max_steps: steps } }, { document }) =>
    steps !== null && warmup >= steps && (warmup <= 1 || Number.isInteger(warmup))
      ? [
          {
            path: "train.warmup_steps",
            message: `The learning rate would still rise at the end: ${warmup} of ${steps} steps.`,
            remedy: "Use a share such as 0.06.",
            ...fixedValue(document, ["train", "warmup_steps"], "0.06"),
          },
        ]
      : [],
};
