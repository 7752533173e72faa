/** @file Metrics and statistics against scikit-learn and scipy. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { metricTable } from "../../../src/engine/metrics/table.ts";
import { meanOfSeeds, pairedDifference } from "../../../src/engine/statistics/over-seeds.ts";
import { normalQuantile, studentTQuantile } from "../../../src/engine/statistics/quantiles.ts";
import { wilsonInterval } from "../../../src/engine/statistics/wilson.ts";
import { at } from "../../../src/shared/errors.ts";
import type { MetricName } from "../../../src/shared/experiment/fields/metrics.ts";
import { metricFixture, statisticsFixture } from "./fixtures.ts";

const tools = { lastGroup: () => assert.fail("no expression is needed") };

function close(
  actual: number | undefined,
  expected: number,
  what: string,
  tolerance = 1e-12,
): void {
  const good =
    Object.is(actual, expected) ||
    (actual !== undefined &&
      Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)));
  assert.ok(good, `${what}: ${actual}, expected ${expected}`);
}

function measure(
  name: MetricName,
  {
    truth,
    prediction,
  }: { readonly truth: readonly number[]; readonly prediction: readonly number[] },
  config: object = {},
): number {
  const results = truth.map((value, index) => ({
    index,
    label: { truth: value, prediction: at(prediction, index) },
    targets: { count: 1, loss: 0, hits: value === at(prediction, index) ? 1 : 0 },
  }));
  return metricTable[name].measure(results, config, tools).value;
}

describe("metrics of classes", () => {
  for (const labels of metricFixture().labels)
    it(`equal scikit-learn's: ${labels.name}`, () => {
      close(measure("accuracy", labels), labels.accuracy, "accuracy");
      close(measure("matthews", labels), labels.matthews, "matthews");
      for (const [average, expected] of Object.entries(labels.f1))
        close(measure("f1", labels, { average }), expected, `f1 ${average}`);
    });
});

describe("metrics of numbers", () => {
  for (const numbers of metricFixture().numbers)
    it(`equal scipy's: ${numbers.name}`, () => {
      // Far from zero the means lose six of sixteen digits, in scipy too.
      const tolerance = numbers.name === "far from zero" ? 1e-8 : 1e-12;
      close(measure("pearson", numbers), numbers.pearson, "pearson", tolerance);
      close(measure("spearman", numbers), numbers.spearman, "spearman");
    });
});

describe("statistics", () => {
  const { normal, student, wilson, means, pairs } = statisticsFixture();

  it("has the quantiles of scipy to 1e-9", () => {
    for (const [p = NaN, expected = NaN] of normal)
      close(normalQuantile(p), expected, `normal ${p}`, 1e-9);
    for (const [p = NaN, degrees = NaN, expected = NaN] of student)
      close(studentTQuantile(p, degrees), expected, `t ${p} ${degrees}`, 1e-9);
  });

  it("has scipy's Wilson intervals", () => {
    for (const [successes = NaN, trials = NaN, confidence = NaN, low = NaN, high = NaN] of wilson) {
      const interval = wilsonInterval(successes, trials, confidence);
      close(interval.low, low, `low of ${successes}/${trials}`);
      close(interval.high, high, `high of ${successes}/${trials}`);
    }
  });

  it("has scipy's t intervals and paired t tests", () => {
    for (const { values, confidence, mean, deviation, low, high } of means) {
      const ours = meanOfSeeds(values, confidence);
      close(ours.mean, mean, "mean");
      close(ours.deviation, deviation, "deviation");
      close(ours.interval?.low, low, "low");
      close(ours.interval?.high, high, "high");
    }
    for (const { values, reference, p } of pairs) {
      const bySeed = (list: readonly number[]) => new Map(list.map((value, seed) => [seed, value]));
      close(pairedDifference(bySeed(values), bySeed(reference), 0.95)?.pValue, p, "p", 1e-10);
    }
  });
});
