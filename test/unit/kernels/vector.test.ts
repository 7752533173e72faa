/** @file Vector work: the WebAssembly equals the plain reference for any length. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { createVector, type Vector } from "../../../kernels/vector/index.ts";
import {
  addScaledReference,
  scaleReference,
  sumOfSquaresReference,
} from "../../../kernels/vector/reference.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { pseudoRandom } from "./pseudo-random.ts";

describe("vector", () => {
  let vector: Vector;
  before(async () => {
    await buildKernels();
    vector = createVector(kernelBytes("vector"));
  });
  const values = (count: number, seed: number) => {
    const next = pseudoRandom(seed);
    return Float32Array.from({ length: count }, () => (next() - 0.5) * 10 ** (next() * 20 - 10));
  };

  for (const count of [0, 1, 7, 8, 9, 1000, 16383, 16384, 16385, 40003])
    it(`equals the reference on ${count} elements`, () => {
      const x = values(count, 1);
      const y = values(count, 2);
      assert.equal(vector.sumOfSquares(x), sumOfSquaresReference(x));
      const scaled = x.slice();
      vector.scale(scaled, 0.1);
      assert.deepEqual(scaled, scaleReference(x, 0.1));
      const added = y.slice();
      vector.addScaled(added, x, -0.3);
      assert.deepEqual(added, addScaledReference(y, x, -0.3));
    });
  it("squares in float64, so that neither large nor small float32 values are lost", () => {
    const large = 2 ** 127;
    assert.equal(vector.sumOfSquares(Float32Array.of(large, -large)), 2 ** 255);
    assert.equal(vector.sumOfSquares(Float32Array.of(2 ** -140)), 2 ** -280);
    assert.equal(vector.sumOfSquares(Float32Array.of(1, Infinity)), Infinity);
    assert.ok(Number.isNaN(vector.sumOfSquares(Float32Array.of(1, NaN, 2))));
  });
  it("works in place on a part of a larger array", () => {
    const all = values(100, 3);
    const expected = all.slice();
    expected.set(scaleReference(all.subarray(10, 30), 3), 10);
    vector.scale(all.subarray(10, 30), 3);
    assert.deepEqual(all, expected);
  });
  it("refuses vectors of different lengths", () => {
    assert.throws(() => {
      vector.addScaled(new Float32Array(2), new Float32Array(3), 1);
    }, RangeError);
  });
});
