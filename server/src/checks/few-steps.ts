/** @file A run of very few steps. */
import { trainingOf } from "../estimate.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { counted, writing } from "./check.ts";

const few = 10;

export const fewSteps: FactCheck = {
  code: "few-steps",
  severity: "warning",
  doc: "A handful of large steps learns less than many small ones over the same data: batch and accumulation are too large for it.",
  find(ctx) {
    const training = valueOf(trainingOf(ctx));
    const { max_steps: fixed, batch_size: batch } = ctx.experiment.train;
    if (training === undefined || fixed !== null || training.steps >= few) return [];
    return [
      {
        path: "train.batch_size",
        message: `The whole run has ${counted(training.steps, "step")} of ${counted(batch, "example")}.`,
        remedy: "Use a smaller `batch_size`, or more epochs.",
        fixes: writing(
          ctx,
          ["train", "batch_size"],
          String(Math.max(1, Math.floor((batch * training.steps) / (2 * few)))),
        ),
      },
    ];
  },
};
