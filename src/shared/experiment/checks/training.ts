/** @file Training: batches, warm-up, length, what can be trained. */
import type { Check } from "./check.ts";
import { contradiction, withoutEffect } from "./check.ts";

const microBatchDivides: Check = ({ train: { batch_size: batch, micro_batch_size: micro } }) => {
  if (micro === "auto") return [];
  if (micro > batch)
    return [
      contradiction(
        "train.micro_batch_size",
        `\`micro_batch_size\` is ${micro}, more than the ${batch} examples of a step.`,
        `Use at most ${batch}, or a larger \`batch_size\`.`,
      ),
    ];
  if (batch % micro === 0) return [];
  return [
    contradiction(
      "train.micro_batch_size",
      `${batch} examples of a step do not divide into batches of ${micro}.`,
      `Use a divisor of ${batch}, or \`auto\`.`,
    ),
  ];
};

const warmupFits: Check = ({ train: { warmup_steps: warmup, max_steps: steps } }) => {
  if (warmup > 1 && !Number.isInteger(warmup))
    return [
      contradiction(
        "train.warmup_steps",
        `\`warmup_steps\` is ${warmup}, neither a number of steps nor a share below 1.`,
        `Use ${Math.round(warmup)}, or a share such as 0.06.`,
      ),
    ];
  return steps !== null && warmup >= steps
    ? [
        contradiction(
          "train.warmup_steps",
          `The learning rate would still rise at the end: ${warmup} of ${steps} steps.`,
          "Use a share such as 0.06.",
        ),
      ]
    : [];
};

const epochsWithSteps: Check = ({ train }, { chooses }) =>
  train.max_steps !== null && chooses("train.num_train_epochs")
    ? [
        withoutEffect(
          "train.num_train_epochs",
          "`max_steps` decides how long the run is; `num_train_epochs` has no effect.",
          "Keep one of them.",
        ),
      ]
    : [];

const baseIsFloat: Check = ({ method, quantization }, { methodRow }) => {
  const index = method.findIndex(({ type }) => methodRow(type)?.trainsBase === true);
  const found = method[index];
  if (found === undefined || quantization === null) return [];
  return [
    contradiction(
      method.length === 1 ? "method" : `method.${index}`,
      `\`${found.type}\` changes the model's own weights, and quantized ones cannot be changed.`,
      "Remove `quantization`, or use an adapter such as lora.",
    ),
  ];
};

export const trainingChecks: readonly Check[] = [
  microBatchDivides,
  warmupFits,
  epochsWithSteps,
  baseIsFloat,
];
