/** @file A task's scores with intervals over its examples, also of metrics that count every target the same. */
import type { Measured } from "../../shared/quantize-records.ts";
import { sum } from "../../shared/sums.ts";
import type { TargetResult } from "../metrics/example-result.ts";
import type { FileMeasurement } from "../session/evaluate-file.ts";
import { pairedBootstrap } from "../statistics/bootstrap.ts";

const draws = { confidence: 0.95, seed: 0, resamples: 1000 } as const;

export function withIntervals({
  metrics,
  results,
  intervals,
}: Pick<FileMeasurement, "metrics" | "results" | "intervals">): Readonly<Record<string, Measured>> {
  const targets = results.flatMap(({ targets: own }) => own ?? []);
  const all = targets.length > 0 && targets.length === results.length;
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [
      name,
      { value, ...(intervals[name] ?? (all ? ofTargets(name, targets) : undefined)) },
    ]),
  );
}

/** Of Σ a / Σ n over examples drawn anew, near the whole: its mean and what each example adds to it. */
function ofTargets(name: string, targets: readonly TargetResult[]) {
  const of = (part: "loss" | "hits") => {
    const count = sum(targets.map((target) => target.count));
    const ratio = sum(targets.map((target) => target[part])) / count;
    const scores = targets.map(
      (target) => ratio + ((target[part] - ratio * target.count) * targets.length) / count,
    );
    const { low, high } = pairedBootstrap(scores, new Float64Array(scores.length), draws).interval;
    return { low, high };
  };
  switch (name) {
    case "loss":
      return of("loss");
    case "perplexity": {
      const { low, high } = of("loss");
      return { low: Math.exp(low), high: Math.exp(high) };
    }
    case "accuracy":
      return of("hits");
    default:
      return undefined;
  }
}
