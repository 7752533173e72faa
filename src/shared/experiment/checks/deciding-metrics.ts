/** @file The metrics that decide something, with where they are said. */
import type { Experiment } from "../fields/experiment-fields.ts";
import type { Said } from "./check.ts";

/** What a decision can be made by: `eval.` and each metric that is measured. */
export function measuredNames({ eval: { metrics } }: Experiment): readonly string[] {
  const names = ["loss", ...(metrics ?? []).map(({ type }) => type)];
  return [...new Set(names)].map((name) => `eval.${name}`);
}

/** Path and name of every metric that chooses a checkpoint, an end or a value. */
export function decidingMetrics(
  { eval: { best, early_stop: stop }, sweep }: Experiment,
  { says }: Said,
): readonly (readonly [path: string, metric: string])[] {
  const select = sweep?.tune?.select;
  return [
    ...(says("eval.best") ? [["eval.best.metric", best.metric] as const] : []),
    ...(stop === null ? [] : [["eval.early_stop.metric", stop.metric] as const]),
    ...(select === undefined ? [] : [["sweep.tune.select.metric", select.metric] as const]),
  ];
}
