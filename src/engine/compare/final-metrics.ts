/** @file The metrics that a run ended with, from its events: what `compare` shows and tuning chooses by. */
import type { Evaluation } from "../../shared/protocol.ts";
import type { RunView } from "../../shared/run-view.ts";

/** Under this name stands the change of the loss on general text; above 0 the run has forgotten something. */
export const forgettingName = "forgetting";

/**
 * The last measurement of each split by `eval.loss`, `test.accuracy` and so on. `restoresBest`: the run ends
 * with the weights of its best checkpoint (early stopping), so that the measurement at that step counts.
 */
export function finalMetrics(
  view: RunView,
  restoresBest: boolean,
): Readonly<Record<string, number>> {
  const best = restoresBest
    ? view.checkpoints.findLast(({ best: isBest }) => isBest === true)?.step
    : undefined;
  const result: Record<string, number> = {};
  for (const split of ["eval", "test"] as const) {
    const final = finalEvaluation(view, split, best);
    for (const [name, value] of Object.entries(final?.metrics ?? {}))
      result[`${split}.${name}`] = value;
  }
  const [before, after] = (["before", "after"] as const).map(
    (moment) =>
      view.evaluations.findLast((event) => event.split === "general" && event.moment === moment)
        ?.metrics["loss"],
  );
  if (before !== undefined && after !== undefined) result[forgettingName] = after - before;
  return result;
}

/** The measurement of the final weights on a split: `after` the run, else at the best step, else the last. */
export function finalEvaluation(
  { evaluations }: RunView,
  split: Evaluation["split"],
  best?: number,
): Evaluation | undefined {
  const own = evaluations.filter((event) => event.split === split);
  return (
    own.findLast(({ moment }) => moment === "after") ??
    own.findLast(({ step }) => step === best) ??
    own.at(-1)
  );
}
