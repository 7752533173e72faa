/** @file Columns of steps: cutting, growing, and what a resumed run repeats. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chunkOf, growingCurves } from "../../../src/shared/curves.ts";
import type { Step } from "../../../src/shared/protocol.ts";

function steps(count: number, loss: (step: number) => number): readonly Step[] {
  return Array.from({ length: count }, (_, index) => ({
    step: index + 1,
    epoch: index / 10,
    loss: loss(index + 1),
    lr: 0.1,
    tokens: 8,
    tokensPerSecond: 16,
    seconds: 0.5,
    memoryBytes: 1000,
  }));
}

describe("curves", () => {
  it("grow by chunks to what one chunk would be", () => {
    const all = steps(1000, (step) => 1 / step);
    const curves = growingCurves();
    for (let from = 0; from < 1000; from += 37)
      curves.add(chunkOf(all.slice(0, Math.min(1000, from + 37)), from));
    const whole = chunkOf(all, 0);
    assert.equal(curves.length(), 1000);
    assert.deepEqual(curves.column("loss"), whole.columns.loss);
    assert.deepEqual(curves.column("step"), whole.columns.step);
  });

  it("have NaN where a step has no figure", () => {
    assert.deepEqual(
      chunkOf(
        steps(2, () => 1),
        0,
      ).columns.gradNorm,
      Float64Array.of(NaN, NaN),
    );
  });

  it("drop what a resumed run repeats", () => {
    const curves = growingCurves();
    curves.add(
      chunkOf(
        steps(10, () => 1),
        0,
      ),
    );
    curves.add(
      chunkOf(
        steps(6, () => 2),
        5,
      ),
    );
    assert.equal(curves.length(), 6);
    assert.deepEqual([...curves.column("loss")], [1, 1, 1, 1, 1, 2]);
  });
});
