/** @file When something is due, and how often. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDue, timesDue } from "../../../../src/engine/train/due.ts";
import type { Duration } from "../../../../src/shared/schema.ts";

const durations: readonly (Duration | null)[] = [
  null,
  { unit: "end" },
  { unit: "steps", count: 1 },
  { unit: "steps", count: 7 },
  { unit: "steps", count: 500 },
  { unit: "epochs", count: 1 },
  { unit: "epochs", count: 0.5 },
  { unit: "epochs", count: 0.01 },
];

describe("something that is due every so often", () => {
  it("is due as often as it is counted to be", () => {
    for (const every of durations)
      for (const steps of [0, 1, 6, 7, 14, 100])
        for (const perEpoch of [1, 3, 14]) {
          const due = Array.from({ length: steps }, (_, i) => i + 1).filter((t) =>
            isDue(every, t, steps, perEpoch),
          );
          assert.equal(
            timesDue(every, steps, perEpoch),
            due.length,
            JSON.stringify({ every, steps, perEpoch }),
          );
        }
  });

  it("is counted without going through the steps", () => {
    assert.equal(timesDue({ unit: "steps", count: 10 }, 1e15, 7), 1e14);
  });
});
