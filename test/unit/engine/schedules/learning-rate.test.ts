/** @file Learning-rate schedules against transformers' numbers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { learningRateFactor, warmupSteps } from "../../../../src/engine/schedules/learning-rate.ts";
import type { ScheduleName } from "../../../../src/engine/schedules/learning-rate.ts";

/** `get_scheduler` of transformers 5.23.0: name, steps, warm-up, factors; the last is beyond the end. */
const expected: readonly (readonly [ScheduleName, number, number, readonly number[]])[] = [
  ["constant", 10, 4, [0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1]],
  ["linear", 10, 4, [0, 0.25, 0.5, 0.75, 1, 0.833333, 0.666667, 0.5, 0.333333, 0.166667, 0, 0]],
  ["linear", 3, 0, [1, 0.666667, 0.333333, 0, 0]],
  ["cosine", 10, 4, [0, 0.25, 0.5, 0.75, 1, 0.933013, 0.75, 0.5, 0.25, 0.066987, 0]],
  [
    "cosine",
    10,
    0,
    [1, 0.975528, 0.904508, 0.793893, 0.654508, 0.5, 0.345492, 0.206107, 0.095492, 0.024472, 0],
  ],
];

describe("learning-rate schedules", () => {
  for (const [name, steps, warmup, factors] of expected)
    it(`${name} over ${steps} steps, ${warmup} of warm-up`, () => {
      factors.forEach((factor, t) => {
        const made = learningRateFactor(name, t, steps, warmup);
        assert(Math.abs(made - factor) < 1e-6, `step ${t}: ${made}, not ${factor}`);
      });
    });

  it("stay at their end, where transformers' cosine rises again", () => {
    assert.equal(learningRateFactor("cosine", 25, 10, 4), 0);
  });

  it("give a number where warm-up takes all steps, or there is none", () => {
    assert.equal(learningRateFactor("linear", 9, 10, 20), 0.45);
    assert.equal(learningRateFactor("cosine", 0, 0, 0), 1);
  });
});

describe("warm-up steps", () => {
  it("below 1 are a share, rounded up, as in transformers", () => {
    const shares = [
      [0.06, 100, 6],
      [0.07, 100, 8],
      [0.06, 10, 1],
      [0.5, 7, 4],
      [0, 10, 0],
    ] as const;
    for (const [share, steps, count] of shares) assert.equal(warmupSteps(share, steps), count);
  });

  it("from 1 on are steps, rounded down", () => {
    assert.equal(warmupSteps(3, 10), 3);
    assert.equal(warmupSteps(2.9, 10), 2);
  });
});
