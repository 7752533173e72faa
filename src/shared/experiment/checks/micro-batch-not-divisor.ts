/** @file Batches in memory that do not add up to a step. */
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const microBatchNotDivisor: Check = {
  code: "micro-batch-not-divisor",
  severity: "error",
  doc: "A step is a whole number of batches in memory: `micro_batch_size` divides `batch_size`.",
  find({ train: { batch_size: batch, micro_batch_size: micro } }, { document }) {
    if (micro === "auto" || batch % micro === 0) return [];
    let divisor = Math.min(micro, batch);
    while (batch % divisor !== 0) divisor -= 1;
    const fix = fixedValue(document, ["train", "micro_batch_size"], String(divisor));
    return [
      {
        path: "train.micro_batch_size",
        message:
          micro > batch
            ? `\`micro_batch_size\` is ${micro}, more than the ${batch} examples of a step.`
            : `${batch} examples of a step do not divide into batches of ${micro}.`,
        remedy:
          micro > batch
            ? `Use at most ${batch}, or a larger \`batch_size\`.`
            : `Use a divisor of ${batch}, or \`auto\`.`,
        ...fix,
      },
    ];
  },
};
