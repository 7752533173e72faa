/** @file A rhythm longer than the run. */
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import { trainingOf } from "../estimate.ts";
import { valueOf } from "../facts.ts";
import type { CheckContext, FactCheck } from "./check.ts";
import { counted, writing } from "./check.ts";
import { inSteps, rhythms } from "./durations.ts";

export const neverDue: FactCheck = {
  code: "never-due",
  severity: "warning",
  doc: "What happens every so many steps never happens before the end where the run has fewer.",
  find(ctx) {
    const length = lengthOf(ctx);
    if (length === undefined) return [];
    const { steps, stepsPerEpoch } = length;
    return rhythms(ctx.experiment).flatMap(({ path, every, what }) => {
      if (nodeAt(ctx.document, path.split(".")) === undefined || every.unit === "end") return [];
      if (inSteps(every, stepsPerEpoch, steps) <= steps) return [];
      return [
        {
          path,
          message: `${what} before the end: the run has ${counted(steps, "step")}.`,
          remedy: "Write `end`, or a shorter interval.",
          fixes: writing(ctx, path.split("."), "end"),
        },
      ];
    });
  },
};

/** How long the run is, as far as that is known. */
export function lengthOf(
  ctx: CheckContext,
): { readonly steps: number; readonly stepsPerEpoch: number } | undefined {
  const training = valueOf(trainingOf(ctx));
  if (training !== undefined) return training;
  const { max_steps: steps } = ctx.experiment.train;
  return steps === null ? undefined : { steps, stepsPerEpoch: 0 };
}
