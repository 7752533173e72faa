/** @file Intervals and paired comparisons: edges, seeds, and that an interval covers what it promises. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pairedBootstrap } from "../../../../src/engine/statistics/bootstrap.ts";
import { meanOfSeeds, pairedDifference } from "../../../../src/engine/statistics/over-seeds.ts";
import { studentTQuantile, studentTTail } from "../../../../src/engine/statistics/quantiles.ts";
import { wilsonInterval } from "../../../../src/engine/statistics/wilson.ts";

describe("quantiles", () => {
  it("undo the distribution function", () => {
    for (const degrees of [0.7, 1, 6, 40, 1e6])
      for (const p of [0.51, 0.8, 0.999, 1 - 1e-12]) {
        const back = 1 - studentTTail(studentTQuantile(p, degrees), degrees);
        assert.ok(Math.abs(back - p) < 1e-13, `${p} ${degrees} ${back}`);
      }
  });
});

describe("wilsonInterval", () => {
  it("stays within 0 and 1, and is no point at either", () => {
    assert.deepEqual(wilsonInterval(0, 0, 0.95), { low: 0, high: 1 });
    const none = wilsonInterval(0, 5, 0.95);
    assert.equal(none.low, 0);
    assert.ok(none.high > 0.4 && none.high < 0.5);
    assert.equal(wilsonInterval(5, 5, 0.95).high, 1);
  });
});

describe("means over seeds", () => {
  it("of one seed have no interval", () => {
    assert.deepEqual(meanOfSeeds([0.5], 0.95), { count: 1, mean: 0.5 });
  });

  it("are compared over the seeds that both have", () => {
    const values = new Map([
      [0, 0.9],
      [1, 0.8],
      [2, 0.7],
    ]);
    const reference = new Map([
      [2, 0.6],
      [1, 0.75],
      [5, 0.1],
    ]);
    const difference = pairedDifference(values, reference, 0.95);
    assert.deepEqual(difference?.seeds, [1, 2]);
    assert.ok(Math.abs(difference.mean - 0.075) < 1e-12);
    assert.ok(difference.interval !== undefined && difference.interval.low < 0);
    assert.equal(pairedDifference(values, new Map([[9, 1]]), 0.95), undefined);
    const same = pairedDifference(values, values, 0.95);
    assert.deepEqual(
      [same?.mean, same?.interval, same?.pValue],
      [0, { low: 0, high: 0 }, undefined],
    );
  });
});

describe("the paired bootstrap", () => {
  const options = { confidence: 0.95, seed: 1, resamples: 800 };

  it("gives the same interval for a seed, and another for another", () => {
    const scores = Float64Array.from({ length: 60 }, (_, index) => Math.sqrt(index));
    const reference = Float64Array.from({ length: 60 }, (_, index) => (index % 7) / 3);
    const first = pairedBootstrap(scores, reference, options);
    assert.deepEqual(pairedBootstrap(scores, reference, options), first);
    assert.notDeepEqual(
      pairedBootstrap(scores, reference, { ...options, seed: 2 }).interval,
      first.interval,
    );
  });

  it("has the interval of the normal distribution where there are many examples", () => {
    const count = 400;
    const scores = Float64Array.from({ length: count }, (_, index) => (index % 10 < 7 ? 1 : 0));
    const zeros = new Float64Array(count);
    const { mean, interval } = pairedBootstrap(scores, zeros, options);
    assert.equal(mean, 0.7);
    const half = 1.96 * Math.sqrt((0.7 * 0.3) / count);
    assert.ok(Math.abs(interval.low - (0.7 - half)) < 0.006, `${interval.low}`);
    assert.ok(Math.abs(interval.high - (0.7 + half)) < 0.006, `${interval.high}`);
  });

  it("is a point where all differences are equal", () => {
    const { interval } = pairedBootstrap([1, 2, 3], [0, 1, 2], options);
    assert.deepEqual(interval, { low: 1, high: 1 });
  });
});
