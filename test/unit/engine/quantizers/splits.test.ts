/** @file Quantizers that treat a share of the weights better: GWQ and PB-LLM. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gwq } from "../../../../src/engine/quantizers/gwq.ts";
import { scoresOf, pbLlm } from "../../../../src/engine/quantizers/pb-llm.ts";
import { packKept } from "../../../../src/engine/quantizers/formats/kept.ts";
import { floatsOf } from "../../../../src/engine/quantizers/half.ts";
import { arrayOf } from "../../../../src/engine/quantizers/packed.ts";
import { rtn } from "../../../../src/engine/quantizers/rtn.ts";
import {
  contextOf,
  inputs,
  outputError,
  packedBy,
  valuesOf,
  weights,
} from "../../../conformance/engine/quantizer-case.ts";

const matrix = weights({ rows: 10, columns: 37 });

describe("GWQ", () => {
  it("keeps one in a hundred, rounded up, to the bit, by gradient", async () => {
    const packed = await packedBy(gwq, matrix, { group: 16, kept: "float32" });
    assert.equal(packed.tensors.get("kept")?.data.length, 4);
    const values = valuesOf(gwq, packed);
    const gradient = await contextOf(matrix, inputs(40, 37)).gradient();
    const order = [...gradient.keys()].sort((a, b) => Math.abs(gradient[b] ?? 0) - Math.abs(gradient[a] ?? 0)); // prettier-ignore
    for (const at of order.slice(0, 4)) assert.equal(values[at], matrix.data[at]);
  });
  it("puts kept weights in the places of others, whatever the grid has there", async () => {
    const base = await packedBy(rtn, matrix, { group: 16, bits: 3 });
    const below = valuesOf(rtn, base);
    const places = Int32Array.from([0, 36, 37, 200, 369]);
    const packed = packKept(
      base,
      places,
      Float32Array.from(places, (at) => at / 8),
      "float32",
    );
    const values = valuesOf(gwq, packed);
    let filled = 0;
    for (const [i, value] of values.entries()) {
      assert.equal(value, places.includes(i) ? i / 8 : below[i]);
      if (places.includes(i) && below[i] !== 0) filled++;
    }
    assert.ok(filled > 2, "the grid has nothing there");
  });
  it("is rounding where nothing is kept", async () => {
    const fields = { group: 16, bits: 3 };
    assert.deepEqual(
      await packedBy(gwq, matrix, { ...fields, outliers: 0 }),
      await packedBy(rtn, matrix, fields),
    );
  });
});

describe("PB-LLM", () => {
  it("is 8 bits by rows where all weights are salient", async () => {
    const values = valuesOf(pbLlm, await packedBy(pbLlm, matrix, { share: 1 }));
    const bar = valuesOf(rtn, await packedBy(rtn, matrix, { bits: 8, group: -1 }));
    assert.ok((await outputError(matrix, values)) < 4 * (await outputError(matrix, bar)));
    for (const [i, value] of values.entries())
      assert.ok(Math.abs(value - (matrix.data[i] ?? NaN)) < 0.01);
  });
  it("is the mean and the mean distance from it where none is, best for its signs", async () => {
    const one = weights({ rows: 4, columns: 1 });
    const wide = { ...one, columns: 1 };
    assert.ok(valuesOf(pbLlm, await packedBy(pbLlm, wide, { share: 0 })).every(Number.isFinite));
    const packed = await packedBy(pbLlm, matrix, { share: 0 });
    const mean = floatsOf(arrayOf(packed, "mean"));
    const spread = floatsOf(arrayOf(packed, "spread"));
    for (let row = 0; row < 10; row++) {
      const own = matrix.data.subarray(row * 37, row * 37 + 37);
      const [m, a] = [mean[row] ?? NaN, spread[row] ?? NaN];
      const error = (scale: number) =>
        own.reduce((sum, w) => sum + (w - m - Math.sign(w - m) * scale) ** 2, 0);
      assert.ok(error(a) <= Math.min(error(a * 1.01), error(a * 0.99)));
    }
  });
  it("has signs about the mean of a row, not about 0", async () => {
    const lifted = { ...matrix, data: matrix.data.map((w) => w + 0.2) };
    // Of inputs that are unrelated no error is carried on.
    const x = new Float32Array(37 * 37);
    for (let i = 0; i < 37; i++) x[i * 38] = 1;
    const packed = await packedBy(pbLlm, lifted, { share: 0 }, x);
    const values = valuesOf(pbLlm, packed);
    const mean = floatsOf(arrayOf(packed, "mean"));
    const spread = floatsOf(arrayOf(packed, "spread"));
    let below = 0;
    for (const [i, w] of lifted.data.entries()) {
      const row = Math.floor(i / 37);
      const [m, a] = [mean[row] ?? NaN, spread[row] ?? NaN];
      assert.equal(values[i], Math.fround(w >= m ? m + a : m - a));
      if (w >= 0 && w < m) below++;
    }
    assert.ok(below > 100, "rows have too few weights between 0 and their means");
  });
  it("ranks by magnitude what second moments of one size rank", () => {
    const U = { rows: 37, columns: 37, data: new Float64Array(37 * 37) };
    for (let i = 0; i < 37; i++) U.data[i * 38] = 0.5;
    const [by, plain] = [scoresOf(matrix, U), scoresOf(matrix, undefined)];
    const order = (scores: Float64Array) => [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)); // prettier-ignore
    assert.deepEqual(order(by), order(plain));
  });
  it("beats signs alone with a tenth in 8 bits", async () => {
    const error = async (share: number, by: string) =>
      outputError(matrix, valuesOf(pbLlm, await packedBy(pbLlm, matrix, { share, by })));
    const bare = await error(0, "magnitude");
    for (const by of ["magnitude", "hessian"]) assert.ok((await error(0.1, by)) < 0.8 * bare);
  });
});
