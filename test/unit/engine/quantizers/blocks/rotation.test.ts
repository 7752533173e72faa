/** @file Rotations of channels are orthogonal, for widths of any kind, and the same for the same numbers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  hadamardRows,
  powerOfTwoIn,
  randomRotation,
} from "../../../../../src/engine/quantizers/blocks/rotation.ts";
import { uniform } from "../../../../conformance/engine/quantizer-case.ts";

describe("a rotation", () => {
  for (const width of [1, 2, 7, 8, 12, 56])
    it(`of ${width} channels keeps products, and spreads one channel over many`, () => {
      const rows = identity(width);
      randomRotation(width, uniform(3)).turn(rows);
      for (let i = 0; i < width; i++)
        for (let k = 0; k < width; k++) {
          let product = 0;
          for (let j = 0; j < width; j++)
            product += (rows[i * width + j] ?? NaN) * (rows[k * width + j] ?? NaN);
          assert.ok(Math.abs(product - Number(i === k)) < 1e-12, `${i}, ${k}: ${product}`);
        }
      const block = powerOfTwoIn(width);
      if (block === width)
        for (const entry of rows) assert.ok(Math.abs(Math.abs(entry) - width ** -0.5) < 1e-12);
    });

  it("is that of its numbers", () => {
    const turned = (seed: number) => {
      const rows = identity(12);
      randomRotation(12, uniform(seed)).turn(rows);
      return rows;
    };
    assert.deepEqual(turned(1), turned(1));
    assert.notDeepEqual(turned(1), turned(2));
  });
});

describe("Hadamard's matrix", () => {
  it("is its own inverse, stretch by stretch", () => {
    const rows = Float64Array.from({ length: 24 }, (_, i) => Math.sin(i));
    const turned = rows.slice();
    hadamardRows(turned, 4);
    assert.ok(Math.abs((turned[0] ?? NaN) - sum(rows.subarray(0, 4)) / 2) < 1e-12);
    hadamardRows(turned, 4);
    for (const [i, value] of turned.entries())
      assert.ok(Math.abs(value - (rows[i] ?? NaN)) < 1e-12);
  });

  it("is there for powers of two alone", () => {
    assert.throws(() => {
      hadamardRows(new Float64Array(12), 6);
    }, RangeError);
    assert.throws(() => {
      hadamardRows(new Float64Array(10), 4);
    }, RangeError);
  });
});

function identity(width: number): Float64Array {
  return Float64Array.from({ length: width * width }, (_, i) =>
    Number(i % width === Math.floor(i / width)),
  );
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
