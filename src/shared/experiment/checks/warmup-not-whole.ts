/** @file A warm-up that is neither a number of steps nor a share. */
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const warmupNotWhole: Check = {
  code: "warmup-not-whole",
  severity: "error",
  doc: "`warmup_steps` is a share of the run below 1, and a whole number of steps from 1 on.",
  find: ({ train: { warmup_steps: warmup } }, { document }) =>
    warmup > 1 && !Number.isInteger(warmup)
      ? [
          {
            path: "train.warmup_steps",
            message: `\`warmup_steps\` is ${warmup}, neither a number of steps nor a share below 1.`,
            remedy: `Use ${Math.round(warmup)}, or a share such as 0.06.`,
            ...fixedValue(document, ["train", "warmup_steps"], String(Math.round(warmup))),
          },
        ]
      : [],
};
