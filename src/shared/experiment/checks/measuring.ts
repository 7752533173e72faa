/** @file Measuring: what early stopping, the best checkpoint and tuning rely on. */
import { enumerate } from "../describe.ts";
import { isMetric, metrics } from "../fields/metrics.ts";
import { metricName } from "../fill.ts";
import { nearest } from "../nearest.ts";
import type { Check, Contradiction } from "./check.ts";
import { contradiction, withoutEffect } from "./check.ts";

const earlyStopNeedsEval: Check = ({ data, eval: { early_stop: stop } }) =>
  stop !== null && data.eval === null
    ? [
        contradiction(
          "eval.early_stop",
          "Early stopping needs measurements, and there is no `data.eval`.",
          "Add `data.eval`, such as `{ from: train, share: 0.05 }`, or remove `early_stop`.",
        ),
      ]
    : [];

const bestNeedsEval: Check = ({ data }, { chooses }) =>
  chooses("eval.best.metric") && data.eval === null
    ? [
        withoutEffect(
          "eval.best",
          "Nothing chooses a best checkpoint: there is no `data.eval`.",
          "Add `data.eval`, or remove `best`.",
        ),
      ]
    : [];

const everyNeedsEval: Check = ({ data }, { chooses }) =>
  chooses("eval.every") && data.eval === null
    ? [
        withoutEffect(
          "eval.every",
          "Nothing is measured: there is no `data.eval`.",
          "Add `data.eval`, or remove `every`.",
        ),
      ]
    : [];

const finalNeedsTest: Check = ({ data, eval: { final } }) =>
  final.length > 0 && data.test === null
    ? [
        withoutEffect(
          "eval.final",
          "`final` is measured on `data.test`, which is not given.",
          "Add `data.test`, or move the metrics to `eval.metrics`.",
        ),
      ]
    : [];

/** The metric that decides must be one that is measured on `data.eval`. */
const decidingMetrics: Check = (
  { eval: { metrics: measured, best, early_stop: stop }, sweep },
  { says },
) => {
  const deciding = [
    ...(says("eval.best") ? [["eval.best.metric", best.metric] as const] : []),
    ...(stop === null ? [] : [["eval.early_stop.metric", stop.metric] as const]),
    ...(sweep?.tune == null
      ? []
      : [["sweep.tune.select.metric", sweep.tune.select.metric] as const]),
  ];
  const names = ["loss", ...(measured ?? []).map(({ type }) => type)];
  return deciding.flatMap(([path, metric]) => metricFault(path, metric, [...new Set(names)]));
};

const tuneSays: Check = ({ sweep }) => {
  if (sweep?.tune == null) return [];
  const { fields, select } = sweep.tune;
  const empty = Object.entries(fields).flatMap(([key, { times, values }]) =>
    (times === null) === (values === null)
      ? [
          contradiction(
            ["sweep", "tune", key],
            `\`${key}\` needs either \`times\` or \`values\`.`,
            "Write `{ times: [0.3, 1, 3] }` or `{ values: [1.0e-4, 3.0e-4] }`.",
          ),
        ]
      : [],
  );
  const shared =
    sweep.seeds?.includes(select.seed) === true
      ? [
          contradiction(
            "sweep.tune.select.seed",
            `Seed ${select.seed} both tunes and reports; a result would be chosen by its own luck.`,
            "Use a seed that is not one of `seeds`.",
          ),
        ]
      : [];
  return [...empty, ...shared];
};

function metricFault(
  path: string,
  metric: string,
  measured: readonly string[],
): readonly Contradiction[] {
  const known = measured.map((name) => `eval.${name}`);
  if (known.includes(metric)) return [];
  if (metric.startsWith("test."))
    return [
      contradiction(
        path,
        `\`${metric}\` is measured once, at the end; test data choose nothing.`,
        `Use a metric of \`data.eval\`: ${enumerate(known, "or")}.`,
      ),
    ];
  const name = metricName(metric);
  if (isMetric(name) && metric.startsWith("eval."))
    return [
      contradiction(path, `\`${name}\` is not measured.`, `Add \`${name}\` to \`eval.metrics\`.`),
    ];
  const near = nearest(metric, [...known, ...Object.keys(metrics).map((each) => `eval.${each}`)]);
  const remedy =
    near === undefined ? `There is ${enumerate(known, "and")}.` : `Did you mean \`${near}\`?`;
  return [contradiction(path, `There is no metric \`${metric}\`.`, remedy)];
}

export const measuringChecks: readonly Check[] = [
  earlyStopNeedsEval,
  bestNeedsEval,
  everyNeedsEval,
  finalNeedsTest,
  decidingMetrics,
  tuneSays,
];
