/** @file A warm-up longer than what the epochs come to. */
import { trainingOf } from "../estimate.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { counted, writing } from "./check.ts";

export const warmupOutlastsTraining: FactCheck = {
  code: "warmup-outlasts-training",
  severity: "warning",
  doc: "The steps of a run follow from its data; a warm-up of half of them or more leaves little training at the learning rate.",
  find(ctx) {
    const { warmup_steps: warmup, max_steps: fixed } = ctx.experiment.train;
    const training = valueOf(trainingOf(ctx));
    if (training === undefined || fixed !== null || warmup < 1 || warmup < training.steps / 2)
      return [];
    return [
      {
        path: "train.warmup_steps",
        message: `The learning rate rises for ${counted(warmup, "step")} of ${training.steps}.`,
        remedy: "Use a share such as 0.06.",
        fixes: writing(ctx, ["train", "warmup_steps"], "0.06"),
      },
    ];
  },
};
