/** @file Defaults that depend on other fields: metrics by task, which way a metric is better. */
import type { Choice } from "../schema.ts";
import type { Experiment } from "./fields/experiment-fields.ts";
import type { MetricName } from "./fields/metrics.ts";
import { isMetric, metrics } from "./fields/metrics.ts";

/** Writes out what follows from the rest of the experiment. */
export function fillDefaults(experiment: Experiment): Experiment {
  const { best, early_stop: stop } = experiment.eval;
  const tune = experiment.sweep?.tune ?? null;
  return {
    ...experiment,
    eval: {
      ...experiment.eval,
      metrics: experiment.eval.metrics ?? metricsOf(experiment),
      best: { ...best, mode: best.mode ?? modeOf(best.metric) },
      early_stop: stop && { ...stop, mode: stop.mode ?? modeOf(stop.metric) },
    },
    sweep: experiment.sweep && {
      ...experiment.sweep,
      tune: tune && {
        ...tune,
        select: { ...tune.select, mode: tune.select.mode ?? modeOf(tune.select.metric) },
      },
    },
  };
}

function metricsOf({ task, data }: Experiment): readonly Choice[] {
  const names: readonly MetricName[] =
    task === "causal-lm"
      ? ["loss", "perplexity"]
      : data.problem_type === "regression"
        ? ["loss", "pearson", "spearman"]
        : ["loss", "accuracy"];
  return names.map((type) => ({ type, config: {} }));
}

/** `eval.accuracy` → `max`. A metric that is not known counts as a loss; a check names it. */
export function modeOf(metric: string): "min" | "max" {
  const name = metricName(metric);
  return isMetric(name) && metrics[name].better === "higher" ? "max" : "min";
}

/** `eval.loss` → `loss`. */
export function metricName(metric: string): string {
  return metric.replace(/^(eval|test|train)\./, "");
}
