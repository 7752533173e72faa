/** @file Quantizers that add or multiply matrices of low rank: ZeroQuant-FP, LQ-LoRA and BitStack. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bitstack, firstParts } from "../../../../src/engine/quantizers/bitstack.ts";
import { e2m1 } from "../../../../src/engine/quantizers/blocks/code-books.ts";
import { book, bookMatrix } from "../../../../src/engine/quantizers/formats/book.ts";
import { floatsOf } from "../../../../src/engine/quantizers/half.ts";
import { lqLora } from "../../../../src/engine/quantizers/lq-lora.ts";
import { arrayOf, partOf, storedBytes } from "../../../../src/engine/quantizers/packed.ts";
import { shareScales, zeroquantFp } from "../../../../src/engine/quantizers/zeroquant-fp.ts";
import { linalg, packedBy, valuesOf, weights } from "../../../conformance/engine/quantizer-case.ts";

const matrix = weights({ rows: 20, columns: 33 });
const squares = (made: Float32Array) =>
  made.reduce((sum, value, i) => sum + (value - (matrix.data[i] ?? NaN)) ** 2, 0);

describe("ZeroQuant-FP", () => {
  it("has the values of E2M1", () => {
    assert.deepEqual([...e2m1.values.slice(0, 8)], [0, 0.5, 1, 1.5, 2, 3, 4, 6]);
  });
  it("rounds scales up to powers of two, and no scale below the free one", async () => {
    const scalesOf = async (scale: string) =>
      floatsOf(
        arrayOf(await packedBy(zeroquantFp, matrix, { group: 8, rank: 0, scale }), "scales"),
      );
    const powers = await scalesOf("power_of_two");
    assert.ok(powers.every((scale) => Number.isInteger(Math.log2(scale))));
    // The first group of a row is fitted before anything was carried on.
    const free = await scalesOf("free");
    for (let row = 0; row < 20; row++)
      assert.ok((powers[row * 5] ?? 0) >= (free[row * 5] ?? NaN) * 0.999);
  });
  it("shares a row's scales out over its largest by powers of two", async () => {
    const scales = Float32Array.from([3, 1, 0.7, 0.1]);
    const before = scales.slice();
    shareScales(scales);
    assert.deepEqual([...scales], [3, 1.5, 0.75, 0.1875]);
    assert.ok(scales.every((scale, i) => scale >= (before[i] ?? NaN)));
    const values = valuesOf(
      zeroquantFp,
      await packedBy(zeroquantFp, matrix, { group: 8, scale: "shared" }),
    );
    assert.ok(values.every(Number.isFinite));
  });
  it("corrects by the best matrix of its rank, the better the larger", async () => {
    let before = Infinity;
    for (const rank of [0, 1, 4, 12]) {
      const packed = await packedBy(zeroquantFp, matrix, { group: 8, rank });
      const error = squares(valuesOf(zeroquantFp, packed));
      assert.ok(error <= before);
      before = error;
      if (rank !== 4) continue;
      const base = new Float32Array(matrix.data.length);
      book.expand(partOf(packed, "base", "book"), base);
      const lost = Float64Array.from(matrix.data, (w, i) => w - (base[i] ?? NaN));
      const sigma = await linalg().singularValues({ rows: 20, columns: 33, data: lost });
      const rest = sigma.slice(4).reduce((sum, s) => sum + s * s, 0);
      assert.ok(Math.abs(error - rest) < 2e-3 * rest, `${error} against ${rest}`);
    }
  });
});

describe("LQ-LoRA", () => {
  it("is closer than its codes alone, and no step worse than the one before", async () => {
    const fields = { group: 16, bits: 3 };
    const alone = squares(valuesOf(lqLora, await packedBy(lqLora, matrix, { ...fields, rank: 0 })));
    let before = alone;
    for (const steps of [1, 3, 20]) {
      const error = squares(valuesOf(lqLora, await packedBy(lqLora, matrix, { ...fields, rank: 6, steps }))); // prettier-ignore
      assert.ok(error <= before * (1 + 1e-3), `${error} after ${steps} steps`);
      before = error;
    }
    assert.ok(before < 0.9 * alone);
  });
  it("holds scales in a byte each where it is told to", async () => {
    const bytes = async (nested: boolean) =>
      storedBytes(await packedBy(lqLora, matrix, { group: 16, rank: 0, double_quant: nested }));
    assert.equal((await bytes(false)) - (await bytes(true)), 20 * 3 * 3 - 4);
    const made = bookMatrix(await packedBy(lqLora, matrix, { group: 16, rank: 0 }));
    assert.ok(!(made.scales instanceof Float32Array));
  });
  it("weighs by the Fisher information", async () => {
    const plain = await packedBy(lqLora, matrix, { group: 16, rank: 4 });
    const weighted = await packedBy(lqLora, matrix, { group: 16, rank: 4, fisher: true });
    assert.notDeepEqual(weighted.tensors.get("left"), plain.tensors.get("left"));
    assert.ok(squares(valuesOf(lqLora, weighted)) >= squares(valuesOf(lqLora, plain)));
  });
});

describe("BitStack", () => {
  it("gets closer with every part, and any first parts are a model", async () => {
    const packed = await packedBy(bitstack, matrix, { parts: 6, rank: 2 });
    let before = Infinity;
    for (let parts = 1; parts <= 6; parts++) {
      const some = firstParts(packed, parts);
      // What is left is measured with columns multiplied by their inputs' norms.
      const factors = floatsOf(arrayOf(packed, "columns"));
      const values = valuesOf(bitstack, some);
      let error = 0;
      for (const [i, value] of values.entries())
        error += ((value - (matrix.data[i] ?? NaN)) * (factors[i % 33] ?? NaN)) ** 2;
      assert.ok(error < before);
      before = error;
      assert.equal(storedBytes(some), 66 + parts * (83 + 2 * 2 * 53));
      assert.deepEqual(some, await packedBy(bitstack, matrix, { parts, rank: 2 }));
    }
  });
  it("is nearly the matrix with all ranks of one part", async () => {
    const values = valuesOf(bitstack, await packedBy(bitstack, matrix, { parts: 1, rank: 20 }));
    assert.ok(squares(values) < 1e-5 * matrix.data.reduce((sum, w) => sum + w * w, 0));
  });
});
