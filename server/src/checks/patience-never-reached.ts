/** @file Patience for more measurements than the run makes. */
import { trainingOf } from "../estimate.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { counted } from "./check.ts";
import { inSteps } from "./durations.ts";

export const patienceNeverReached: FactCheck = {
  code: "patience-never-reached",
  severity: "warning",
  doc: "Early stopping waits for so many measurements without improvement; a run with fewer measurements never stops early.",
  find(ctx) {
    const { early_stop: stop, every } = ctx.experiment.eval;
    const training = valueOf(trainingOf(ctx));
    const measures = ctx.experiment.data.eval !== null;
    if (stop === null || training === undefined || every.unit === "end" || !measures) return [];
    const { steps, stepsPerEpoch } = training;
    const times = Math.floor(steps / Math.max(1, inSteps(every, stepsPerEpoch, steps)));
    if (times > stop.patience) return [];
    return [
      {
        path: "eval.early_stop.patience",
        message: `The run is measured ${counted(times, "time")}, and \`patience\` is ${stop.patience}: it cannot stop early.`,
        remedy: "Measure more often, or be less patient.",
      },
    ];
  },
};
