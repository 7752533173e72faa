/** @file All metrics by name, and measuring with those that an experiment asks for. */
import type { Finding } from "../../shared/findings.ts";
import type { MetricName } from "../../shared/experiment/fields/metrics.ts";
import { isMetric } from "../../shared/experiment/fields/metrics.ts";
import type { Choice } from "../../shared/schema.ts";
import { pearson, spearman } from "./correlation.ts";
import type { Metric, MetricTools, Predicted } from "./define.ts";
import { exactMatch } from "./exact-match.ts";
import type { ExampleResult, ResultKind, ScoredResult } from "./example-result.ts";
import { f1 } from "./f1.ts";
import { accuracy, loss, perplexity } from "./loss.ts";
import { matthews } from "./matthews.ts";

export const metricTable: { readonly [Name in MetricName]: Metric } = {
  loss,
  perplexity,
  accuracy,
  f1,
  matthews,
  pearson,
  spearman,
  exact_match: exactMatch,
};

/** Metrics of a split by name, what each example scored, and what there is to say. */
export interface Measurement {
  readonly metrics: Readonly<Record<string, number>>;
  readonly results: readonly ScoredResult[];
  readonly findings: readonly Finding[];
}

/**
 * Measures what `choices` ask for; a name that stands twice counts once, as first said. Throws a UserError
 * where an expression of the file is none or takes too long.
 */
export function measure(
  results: readonly ExampleResult[],
  choices: readonly Choice[],
  tools: MetricTools,
): Measurement {
  const metrics: Record<string, number> = {};
  const scores = new Map<number, Record<string, number>>();
  const findings: Finding[] = [];
  for (const { name, metric, config } of rowsOf(choices)) {
    const measured = metric.measure(results, config, tools);
    metrics[name] = measured.value;
    findings.push(...measured.findings);
    for (const [index, score] of measured.scores)
      scores.set(index, { ...scores.get(index), [name]: score });
  }
  const scored = results.map((result) => {
    const own = scores.get(result.index);
    return own === undefined ? result : { ...result, scores: own };
  });
  return { metrics, results: scored, findings };
}

/** Which kinds of result the metrics need: what a pass over the data must make. */
export function neededBy(choices: readonly Choice[]): ReadonlySet<ResultKind> {
  return new Set(rowsOf(choices).map(({ metric }) => metric.needs));
}

/** How many tokens are to be generated from each prompt; undefined where no metric reads completions. */
export function newTokensFor(choices: readonly Choice[]): number | undefined {
  if (!neededBy(choices).has("completion")) return undefined;
  return Number(choices.find(({ type }) => type === "exact_match")?.config["max_new_tokens"]);
}

/** Metrics that have no meaning for what is predicted, before anything is computed. */
export function checkMetrics(choices: readonly Choice[], predicted: Predicted): readonly Finding[] {
  return rowsOf(choices).flatMap(({ name, metric, config }) => {
    const why = metric.refuses(predicted, config);
    if (why === undefined) return [];
    const code = "metric-without-meaning";
    return [{ code, severity: "error", message: `\`${name}\` has no meaning here: ${why}.` }];
  });
}

function rowsOf(choices: readonly Choice[]) {
  const seen = new Set<string>();
  return choices.flatMap(({ type: name, config }) => {
    if (!isMetric(name) || seen.has(name)) return [];
    seen.add(name);
    return [{ name, metric: metricTable[name], config }];
  });
}
