/** @file FP6's values, its storage in two arrays, and the shift that stands for its exponent. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { halfToFloat32 } from "../../../../src/engine/weights/dtype-conversion.ts";
import { e3m2 } from "../../../../src/engine/quantizers/blocks/code-books.ts";
import { biasShift, fp6, halfBits } from "../../../../src/engine/quantizers/fp6.ts";
import { bytesOf } from "../../../../src/engine/quantizers/packed.ts";
import { packedBy, valuesOf, weights } from "../../../conformance/engine/quantizer-case.ts";

describe("FP6", () => {
  it("has the values of a sign, three bits of exponent and two of mantissa", () => {
    const positive = [...e3m2.values.slice(0, 32)];
    assert.deepEqual(positive.slice(0, 9), [
      0,
      1 / 16,
      1 / 8,
      3 / 16,
      0.25,
      5 / 16,
      3 / 8,
      7 / 16,
      0.5,
    ]);
    assert.deepEqual(positive.slice(-4), [16, 20, 24, 28]);
    assert.deepEqual([...e3m2.values.slice(33)], positive.slice(1).map((value) => -value)); // prettier-ignore
  });
  it("is a float16 with its exponent shifted", () => {
    const half = Uint16Array.from({ length: 64 }, (_, code) => halfBits(code));
    const values = new Float32Array(64);
    halfToFloat32("float16", half, values);
    for (const [code, value] of values.entries())
      if (code !== 32) assert.equal(value * biasShift, e3m2.values[code], `code ${code}`);
  });
  it("stores four bits and two of each code apart", async () => {
    const matrix = weights({ rows: 3, columns: 7 });
    const packed = await packedBy(fp6, matrix);
    assert.equal(bytesOf(packed, "high").length, 3 * 4);
    assert.equal(bytesOf(packed, "low").length, 3 * 2);
    const values = valuesOf(fp6, packed);
    for (const [i, value] of values.entries()) {
      const w = matrix.data[i] ?? NaN;
      // A step is a quarter of the value's power of two at most; below 1/4 of the scale it is fixed.
      const top = Math.max(...matrix.data.subarray(7 * Math.floor(i / 7), 7 * Math.floor(i / 7) + 7).map(Math.abs)); // prettier-ignore
      assert.ok(
        Math.abs(value - w) <= Math.max(Math.abs(w) / 8, top / 28 / 32) * 1.001 + top / 2000,
      );
    }
  });
});
