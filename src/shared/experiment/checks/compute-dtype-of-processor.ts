/** @file 16-bit arithmetic on the processor. */
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const computeDtypeOfProcessor: Check = {
  code: "compute-dtype-of-processor",
  severity: "warning",
  doc: "The processor computes in float32; frozen 16-bit weights stay 16 bits in memory in any case. A run that asks for other arithmetic is refused.",
  find: ({ train: { compute_dtype: dtype }, run: { device } }, { document }) =>
    (dtype === "float16" || dtype === "bfloat16") && (device === "cpu" || device === "auto")
      ? [
          {
            path: "train.compute_dtype",
            message: `On the processor the arithmetic is float32, not ${dtype}.`,
            remedy: "Leave it at `auto`.",
            ...fixedValue(document, ["train", "compute_dtype"], "auto"),
          },
        ]
      : [],
};
