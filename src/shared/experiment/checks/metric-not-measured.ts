/** @file A deciding metric that is not measured, or does not exist. */
import { enumerate } from "../describe.ts";
import { isMetric, metrics } from "../fields/metrics.ts";
import { metricName } from "../fill.ts";
import { nearest } from "../nearest.ts";
import type { Check, Found, Said } from "./check.ts";
import { decidingMetrics, measuredNames } from "./deciding-metrics.ts";
import { fixedValue } from "./edits-at.ts";

export const metricNotMeasured: Check = {
  code: "metric-not-measured",
  severity: "error",
  doc: "The metric that chooses a checkpoint, an end or a value must be one that is measured on `data.eval`.",
  find: (experiment, said) =>
    decidingMetrics(experiment, said).flatMap(([path, metric]) =>
      metric.startsWith("test.") ? [] : fault(path, metric, measuredNames(experiment), said),
    ),
};

function fault(
  path: string,
  metric: string,
  known: readonly string[],
  { document }: Said,
): readonly Found[] {
  if (known.includes(metric)) return [];
  const name = metricName(metric);
  if (isMetric(name) && metric.startsWith("eval."))
    return [
      {
        path,
        message: `\`${name}\` is not measured.`,
        remedy: `Add \`${name}\` to \`eval.metrics\`.`,
      },
    ];
  const every = Object.keys(metrics).map((each) => `eval.${each}`);
  const near = isMetric(metric) ? `eval.${metric}` : nearest(metric, [...known, ...every]);
  return [
    {
      path,
      message: `There is no metric \`${metric}\`.`,
      remedy:
        near === undefined ? `There is ${enumerate(known, "and")}.` : `Did you mean \`${near}\`?`,
      ...(near !== undefined && fixedValue(document, path.split("."), near)),
    },
  ];
}
