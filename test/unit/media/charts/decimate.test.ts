/** @file Long curves keep their peaks, and gaps stay gaps. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { aligned, decimate, smoothed } from "../../../../media/charts/decimate.ts";

/** A flat curve of 100,000 points with one peak and one gap. */
const count = 100_000;
const x = Float64Array.from({ length: count }, (_, index) => index);
const y = new Float64Array(count);
y[54_321] = 7;
y.fill(NaN, 20_000, 30_000);

describe("decimate", () => {
  it("keeps at most two points a stretch, and the peak among them", () => {
    const points = decimate({ x, y }, 0, count - 1, 300);
    assert.ok(points.x.length <= 2 * 301, `${points.x.length} points`);
    assert.equal(points.y[points.x.indexOf(54_321)], 7);
  });

  it("leaves a gap where there is nothing else", () => {
    const points = decimate({ x, y }, 0, count - 1, 300);
    const inGap = [...points.x.entries()].filter(([, at]) => at > 20_400 && at < 29_600);
    assert.ok(inGap.length > 0);
    assert.ok(inGap.every(([place]) => Number.isNaN(points.y[place])));
  });

  it("takes what is in sight and one point beyond at either side", () => {
    const points = decimate({ x, y }, 100.5, 104.5, 300);
    assert.deepEqual([...points.x], [100, 101, 102, 103, 104, 105]);
  });

  it("ascends, whatever comes first in a stretch", () => {
    const noise = Float64Array.from(x, (at) => Math.sin(at * 12.9898) * 43758.5453);
    const points = decimate({ x, y: noise }, 10, 90_000, 64);
    assert.ok(points.x.every((at, place) => place === 0 || at > (points.x[place - 1] ?? NaN)));
  });
});

describe("decimate above a floor", () => {
  it("keeps the least of what is above it, and leaves the rest as a gap", () => {
    const values = Float64Array.from(x, (at) => (at % 2 === 0 ? -1 : 1 + at / count));
    const points = decimate({ x, y: values }, 0, count - 1, 10, 0);
    assert.equal(points.y[0], 1 + 1 / count);
    const few = decimate({ x: x.slice(0, 4), y: values.slice(0, 4) }, 0, 3, 10, 0);
    assert.deepEqual([...few.y].map(Number.isNaN), [true, false, true, false]);
  });
});

describe("aligned", () => {
  it("holds every place once, with null where a curve has nothing", () => {
    const a = { x: Float64Array.of(1, 3, 5), y: Float64Array.of(10, NaN, 50) };
    const b = { x: Float64Array.of(2, 3), y: Float64Array.of(20, 30) };
    assert.deepEqual(aligned([a, b]), [
      [1, 2, 3, 5],
      [10, null, null, 50],
      [null, 20, 30, null],
    ]);
    assert.deepEqual(aligned([]), [[]]);
  });
});

describe("smoothed", () => {
  it("is the curve itself at weight 0 and a constant's at any weight", () => {
    assert.equal(smoothed(y, 0), y);
    const constant = new Float64Array(50).fill(3);
    assert.ok(smoothed(constant, 0.9).every((value) => Math.abs(value - 3) < 1e-12));
  });

  it("goes on over a gap", () => {
    assert.deepEqual([...smoothed(Float64Array.of(1, NaN, 1), 0.5)], [1, NaN, 1]);
  });
});
