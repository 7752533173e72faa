/** @file Intervals of metrics over all targets: around the value, narrower with more examples, and none where results are missing. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { withIntervals } from "../../../../src/engine/quantize/task-scores.ts";

/** Examples of 1 to 5 targets, whose losses go up and down. */
function measured(count: number) {
  const results = Array.from({ length: count }, (_, index) => {
    const targets = {
      count: 1 + (index % 5),
      loss: (1 + (index % 5)) * (1 + (index % 3)),
      hits: index % 2,
    };
    return { index, targets };
  });
  const total = (part: "loss" | "hits" | "count") =>
    results.reduce((sum, { targets }) => sum + targets[part], 0);
  const loss = total("loss") / total("count");
  const metrics = {
    loss,
    perplexity: Math.exp(loss),
    accuracy: total("hits") / total("count"),
    f1: 0.5,
  };
  return { metrics, results, intervals: {} };
}

it("intervals of sums over targets hold their value, and shrink with examples", () => {
  const width = (count: number, name: string): number => {
    const { value = NaN, low = NaN, high = NaN } = withIntervals(measured(count))[name] ?? {};
    assert.ok(low < value && value < high, `${name}: ${low} to ${high} around ${value}`);
    return high - low;
  };
  for (const name of ["loss", "perplexity", "accuracy"]) {
    const ratio = width(60, name) / width(960, name);
    assert.ok(ratio > 3 && ratio < 5.5, `${name}: ${ratio}`);
  }
  const { loss, perplexity } = withIntervals(measured(60));
  assert.equal(perplexity?.low, Math.exp(loss?.low ?? NaN));
});

it("others keep theirs, and have none without", () => {
  const whole = measured(20);
  assert.deepEqual(withIntervals(whole)["f1"], { value: 0.5 });
  const own = withIntervals({ ...whole, intervals: { accuracy: { low: 0.1, high: 0.9 } } });
  assert.deepEqual(own["accuracy"], { value: whole.metrics.accuracy, low: 0.1, high: 0.9 });
  const missing = whole.results.map(({ index }) => ({ index }));
  assert.deepEqual(withIntervals({ ...whole, results: missing })["loss"], {
    value: whole.metrics.loss,
  });
});
