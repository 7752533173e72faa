/** @file QuantEase: what the descent promises, where it starts, and weights kept beside the grid. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  hardThreshold,
  largestEigenvalue,
} from "../../../../src/engine/quantizers/blocks/hard-threshold.ts";
import { gptq } from "../../../../src/engine/quantizers/gptq.ts";
import { quantease } from "../../../../src/engine/quantizers/quantease.ts";
import { rtn } from "../../../../src/engine/quantizers/rtn.ts";
import {
  inputs,
  linalg,
  outputError,
  packedBy,
  secondMoments,
  valuesOf,
  weights,
} from "../../../conformance/engine/quantizer-case.ts";

const matrix = weights({ rows: 12, columns: 40 });
const grid = { bits: 3, group: 16, scales: "float32" };

describe("QuantEase", () => {
  it("is rounding where inputs are unrelated", async () => {
    const x = new Float32Array(40 * 40);
    for (let i = 0; i < 40; i++) x[i * 41] = 1 + (i % 3);
    const made = await packedBy(quantease, matrix, grid, x);
    assert.deepEqual(
      made.tensors.get("codes"),
      (await packedBy(rtn, matrix, grid)).tensors.get("codes"),
    );
  });
  it("ends no worse than GPTQ where it starts from it", async () => {
    const columns = weights({ rows: 12, columns: 32 });
    const row = { bits: 3, group: -1 };
    const before = await packedBy(gptq, columns, { ...row, act_order: true });
    const after = await packedBy(quantease, columns, { ...row, start: "gptq", relax: false });
    const [bar, error] = [
      await outputError(columns, valuesOf(gptq, before)),
      await outputError(columns, valuesOf(quantease, after)),
    ];
    assert.ok(error <= bar * (1 + 1e-9), `${error} > ${bar}`);
    assert.ok(error < bar * 0.999, "the descent does nothing");
  });
  it("falls back to rounding where a descent that was cut short ends above it", async () => {
    // Seeds at which it does, by 10 and 20 %.
    for (const [passes, seed] of [
      [1, 4],
      [3, 19],
    ] as const) {
      const row = weights({ rows: 1, columns: 8 }, seed);
      const x = inputs(24, 8, seed + 7);
      const fields = { bits: 2, group: -1, scales: "float32" };
      const short = { ...fields, passes, relax: true, act_order: false };
      const made = await packedBy(quantease, row, short, x);
      assert.deepEqual(
        made.tensors.get("codes"),
        (await packedBy(rtn, row, fields, x)).tensors.get("codes"),
      );
    }
  });
  it("keeps exactly the share of weights beside the grid, and gains by it", async () => {
    const fields = { ...grid, passes: 6 };
    const kept = await packedBy(quantease, matrix, { ...fields, outliers: 0.05 });
    assert.equal(kept.tensors.get("kept")?.data.length, 24);
    const error = async (fieldsOf: object) =>
      outputError(matrix, valuesOf(quantease, await packedBy(quantease, matrix, { ...fieldsOf })));
    assert.ok((await error({ ...fields, outliers: 0.05 })) < (await error(fields)));
  });
});

describe("hard thresholding", () => {
  it("never raises what is left", async () => {
    const sigma = secondMoments(inputs(90, 20), 20);
    const largest = largestEigenvalue(sigma);
    const exact = (await linalg().eigenvalues(sigma)).at(-1) ?? NaN;
    assert.ok(largest >= exact && largest < 1.06 * exact);
    const left = {
      rows: 5,
      columns: 20,
      data: Float64Array.from(weights({ rows: 5, columns: 20 }).data),
    };
    const cost = async (sparse: Float64Array) => {
      const rest = { rows: 5, columns: 20, data: left.data.map((w, i) => w - (sparse[i] ?? NaN)) };
      const { data } = await linalg().multiply(rest, sigma);
      return data.reduce((sum, p, i) => sum + p * (rest.data[i] ?? NaN), 0);
    };
    let sparse = new Float64Array(100);
    // The first step has nothing yet to lose.
    for (let step = 0; step < 8; step++) {
      const before = await cost(sparse);
      sparse = await hardThreshold(linalg(), left, sparse, { matrix: sigma, largest }, 0.1);
      assert.ok((await cost(sparse)) <= before * (1 + 1e-12), `step ${step}`);
      assert.equal(sparse.filter((s) => s !== 0).length, 10);
    }
  });
});
