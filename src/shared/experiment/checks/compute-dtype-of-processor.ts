/** @file 16-bit arithmetic on the processor. */
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const computeDtypeOfProcessor: Check = {
  code: "compute-dtype-of-processor",
  severity: "warning",
  doc: "A run computes in float32, and says so where it is asked for other arithmetic; frozen 16-bit weights stay 16 bits in memory in any case.",
  find: ({ train: { compute_dtype: dtype } }, { document }) =>
    dtype === "float16" || dtype === "bfloat16"
      ? [
          {
            path: "train.compute_dtype",
            message: `The arithmetic is float32 here, not ${dtype}.`,
            remedy: "Leave it at `auto`.",
            ...fixedValue(document, ["train", "compute_dtype"], "auto"),
          },
        ]
      : [],
};
