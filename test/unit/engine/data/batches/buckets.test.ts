/** @file The lengths to pad to: the best there are, few, and within bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bucketOf, chooseBuckets } from "../../../../../src/engine/data/batches/buckets.ts";
import { randomLengths } from "./random.ts";

const padded = (lengths: readonly number[], buckets: readonly number[]): number =>
  lengths.reduce((sum, length) => sum + bucketOf(length, buckets), 0);

test("one length for each where these are few", () => {
  assert.deepEqual(chooseBuckets([3, 8, 9, 30]), [8, 16, 32]);
  assert.deepEqual(chooseBuckets([1, 2, 3, 4], { multiple: 1 }), [1, 2, 3, 4]);
  assert.deepEqual(chooseBuckets([500], { limit: 500 }), [500]);
});

test("no other choice of four pads less", () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const lengths = randomLengths(40, 60, seed);
    const sizes = [...new Set(lengths.map((length) => Math.ceil(length / 8) * 8))].toSorted(
      (a, b) => a - b,
    );
    const largest = sizes[sizes.length - 1] ?? 0;
    let best = Infinity;
    for (const a of sizes)
      for (const b of sizes)
        for (const c of sizes)
          best = Math.min(
            best,
            padded(
              lengths,
              [a, b, c, largest].toSorted((x, y) => x - y),
            ),
          );
    const chosen = chooseBuckets(lengths);
    assert.ok(chosen.length <= 4);
    assert.equal(padded(lengths, chosen), best);
  }
});

test("padding is bounded, and long tails do not take long", () => {
  const lengths = randomLengths(100_000, 5000, 3);
  const buckets = chooseBuckets(lengths, { limit: 5000 });
  assert.ok(buckets.length <= 4 && (buckets.at(-1) ?? 0) <= 5000);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  // Lengths even from 1 to 5000 in four buckets: an eighth of the longest is padding on average.
  assert.ok(padded(lengths, buckets) < 1.3 * total);
});
