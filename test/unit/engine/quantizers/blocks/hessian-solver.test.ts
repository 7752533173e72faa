/** @file The sweep of GPTQ and coordinate descent: the identities that hold exactly, edges, what is refused. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { normalMatrix } from "../../../../../kernels/krylov/normal.ts";
import { createLinalg, type Linalg } from "../../../../../kernels/linalg/index.ts";
import type { Matrix } from "../../../../../kernels/linalg/matrix.ts";
import { buildKernels } from "../../../../../src/build/kernels.ts";
import { descendColumns } from "../../../../../src/engine/quantizers/blocks/coordinate-descent.ts";
import {
  decodeColumns,
  gridColumns,
  type GridColumnOptions,
} from "../../../../../src/engine/quantizers/blocks/grid-columns.ts";
import {
  factorHessian,
  proxyError,
  sweepColumns,
  type ColumnQuantizer,
  type FactorOptions,
} from "../../../../../src/engine/quantizers/blocks/hessian-solver.ts";
import {
  decodeGrid,
  encodeGrid,
  fitGrid,
} from "../../../../../src/engine/quantizers/blocks/uniform-grid.ts";
import { kernelBytes } from "../../../../../src/engine/runtime/kernels.ts";
import { UserError } from "../../../../../src/shared/errors.ts";

let linalg: Linalg;
before(async () => {
  await buildKernels();
  linalg = createLinalg(kernelBytes("linalg"));
});

const int3 = { bits: 3, symmetric: false, granularity: "row" } as const;

const single = (X: Matrix) => ({ ...X, data: new Float32Array(X.data) });
const diagonal = (values: readonly number[]): Matrix => {
  const n = values.length;
  const data = new Float64Array(n * n);
  for (const [i, value] of values.entries()) data[i * n + i] = value;
  return { rows: n, columns: n, data };
};

/** XᵀX of inputs that share a common part, as calibration text has it. */
async function correlated(n: number, tokens = 4 * n): Promise<Matrix> {
  const [X, common] = [normalMatrix(tokens, n, 11), normalMatrix(tokens, 1, 12).data];
  const data = X.data.map((x, i) => x + 2 * (common[Math.floor(i / n)] ?? NaN) * (((i % n) % 7) - 2)); // prettier-ignore
  return linalg.multiply({ ...X, data }, { ...X, data }, { transposeA: true });
}

async function gptq(
  weights: Matrix<Float32Array>,
  hessian: Matrix,
  options: GridColumnOptions = int3,
  how: FactorOptions & { readonly blockSize?: number } = {},
) {
  const factor = await factorHessian(linalg, hessian, how);
  const grid = gridColumns(weights, { dead: factor.dead, ...options });
  const { blockSize = 16 } = how;
  const swept = await sweepColumns(linalg, weights, factor, grid.quantize, { blockSize });
  return { ...swept, ...grid, factor };
}

function nearest(weights: Matrix<Float32Array>, options: GridColumnOptions = int3): Float32Array {
  const grid = fitGrid(weights, options);
  return decodeGrid(encodeGrid(weights, grid), grid);
}

describe("the column sweep", () => {
  it("rounds to nearest where inputs are uncorrelated", async () => {
    const W = single(normalMatrix(9, 50, 1));
    const H = diagonal(Array.from({ length: 50 }, () => 3.5));
    for (const granularity of ["tensor", "row", 16] as const) {
      const { values } = await gptq(W, H, { ...int3, granularity });
      assert.deepEqual(new Float32Array(values.data), nearest(W, { ...int3, granularity }));
    }
  });
  it("rounds a single column to nearest", async () => {
    const W = single(normalMatrix(9, 1, 2));
    const { values } = await gptq(W, diagonal([2]));
    assert.deepEqual(new Float32Array(values.data), nearest(W));
  });
  it("makes U with UᵀU the inverse of the damped Hessian", async () => {
    const H = await correlated(40);
    const damping = 0.05;
    const { U } = await factorHessian(linalg, H, { damping });
    const mean = H.data.reduce((sum, x, i) => sum + (i % 41 === 0 ? x : 0), 0) / 40;
    const damped = H.data.map((x, i) => x + (i % 41 === 0 ? damping * mean : 0));
    const inverse = await linalg.multiply(U, U, { transposeA: true });
    const one = await linalg.multiply(inverse, { ...H, data: damped });
    for (const [i, x] of one.data.entries())
      assert.ok(Math.abs(x - (i % 41 === 0 ? 1 : 0)) < 1e-10);
    for (let i = 0; i < 40; i++) for (let j = 0; j < i; j++) assert.equal(U.data[i * 40 + j], 0);
  });
  it("has W − Q = E U and the loss tr((W − Q) H (W − Q)ᵀ)", async () => {
    const W = single(normalMatrix(12, 45, 3));
    const H = await correlated(45);
    const factor = await factorHessian(linalg, H);
    const grid = gridColumns(W, int3);
    const E = new Float64Array(12 * 45);
    const watched: ColumnQuantizer = (step, into) => {
      grid.quantize(step, into);
      for (let i = 0; i < 12; i++)
        E[i * 45 + step.position] = ((step.values[i] ?? NaN) - (into[i] ?? NaN)) / step.pivot;
    };
    const { values, loss } = await sweepColumns(linalg, W, factor, watched, { blockSize: 16 });
    const EU = await linalg.multiply({ rows: 12, columns: 45, data: E }, factor.U);
    for (const [i, w] of W.data.entries())
      assert.ok(Math.abs(w - (values.data[i] ?? NaN) - (EU.data[i] ?? NaN)) < 1e-12);
    const mean = H.data.reduce((sum, x, i) => sum + (i % 46 === 0 ? x : 0), 0) / 45;
    const damped = { ...H, data: H.data.map((x, i) => x + (i % 46 === 0 ? 0.01 * mean : 0)) };
    assert.ok(Math.abs((await proxyError(linalg, W, values, damped)) / loss - 1) < 1e-10);
  });
  it("puts columns back where they were, whatever their order", async () => {
    const W = single(normalMatrix(6, 40, 4));
    const H = diagonal(Array.from({ length: 40 }, (_, i) => 1 + ((i * 7) % 40)));
    const { values, factor } = await gptq(W, H, int3, { actOrder: true });
    assert.equal(factor.order[0], 17);
    assert.deepEqual(
      [...factor.order].sort((a, b) => a - b),
      [...W.data.keys()].slice(0, 40),
    );
    assert.deepEqual(new Float32Array(values.data), nearest(W));
  });
  it("errs less than rounding on correlated inputs, at every width, group and order", async () => {
    const W = single(normalMatrix(32, 96, 5));
    const H = await correlated(96);
    for (const bits of [2, 3, 4])
      for (const granularity of ["row", 32] as const)
        for (const actOrder of [false, true])
          for (const staticGroups of [false, true]) {
            const options = { bits, symmetric: false, granularity, staticGroups };
            const { values } = await gptq(W, H, options, { actOrder });
            const swept = await proxyError(linalg, W, values, H);
            const data = nearest(W, options);
            const rounded = await proxyError(linalg, W, { ...W, data }, H);
            assert.ok(swept < 0.8 * rounded, `${bits} ${granularity}: ${swept} of ${rounded}`);
          }
  });
  it("does not depend on the size of its blocks but for the grids of groups", async () => {
    const W = single(normalMatrix(8, 70, 6));
    const H = await correlated(70);
    const { codes } = await gptq(W, H);
    for (const blockSize of [1, 33, 128])
      assert.deepEqual((await gptq(W, H, int3, { blockSize })).codes, codes);
  });
  it("leaves codes that decode to what it returns", async () => {
    const W = single(normalMatrix(8, 50, 7));
    const H = await correlated(50);
    for (const actOrder of [false, true])
      for (const granularity of ["tensor", "row", 16] as const)
        for (const staticGroups of [false, true]) {
          const options = { bits: 4, symmetric: true, granularity, staticGroups };
          const { values, codes, grid, groupOf } = await gptq(W, H, options, { actOrder });
          const decoded = decodeColumns(codes, grid, groupOf);
          assert.deepEqual(decoded, new Float32Array(values.data));
          if (!actOrder) assert.deepEqual(decodeGrid(codes, grid), decoded);
        }
  });
  it("sets columns to zero whose inputs were always zero", async () => {
    const W = single(normalMatrix(5, 30, 8));
    const H = await correlated(30);
    for (let i = 0; i < 30; i++) H.data[12 * 30 + i] = H.data[i * 30 + 12] = 0;
    const { values } = await gptq(W, H);
    for (let i = 0; i < 5; i++) assert.equal(values.data[i * 30 + 12], 0);
    assert.ok(values.data.every(Number.isFinite));
  });
  it("refuses what it cannot solve", async () => {
    const flat = { rows: 3, columns: 3, data: new Float64Array(9).fill(1) };
    const broken = { ...flat, data: flat.data.with(4, NaN) };
    const missing = (error: unknown) =>
      error instanceof UserError && error.code === "hessian-not-positive";
    await assert.rejects(factorHessian(linalg, flat, { damping: 0 }), missing);
    await assert.rejects(factorHessian(linalg, broken), /\[1, 1\]/);
    await assert.rejects(factorHessian(linalg, flat, { damping: -1 }), RangeError);
    const factor = await factorHessian(linalg, flat);
    const W = { rows: 1, columns: 2, data: new Float32Array(2) };
    await assert.rejects(
      sweepColumns(linalg, W, factor, () => undefined),
      /2 inputs/,
    );
  });
});

describe("coordinate descent", () => {
  const options = { bits: 3, symmetric: false, granularity: "row" } as const;
  it("never raises its objective once all columns are rounded", async () => {
    const W = single(normalMatrix(16, 60, 21));
    const H = await correlated(60);
    const { quantize } = gridColumns(W, options);
    const how = { passes: 8, relax: false, blockSize: 16 };
    const { values, objectives } = await descendColumns(linalg, W, H, quantize, how);
    for (let i = 1; i < 8; i++)
      assert.ok((objectives[i] ?? NaN) <= (objectives[i - 1] ?? NaN) * (1 + 1e-12));
    assert.ok((objectives[7] ?? NaN) < (objectives[0] ?? NaN));
    const own = await proxyError(linalg, W, values, H);
    assert.ok(Math.abs((objectives[7] ?? NaN) / own - 1) < 1e-9);
  });
  it("ends no worse than the sweep that it starts from, and below rounding", async () => {
    const W = single(normalMatrix(16, 60, 22));
    const H = await correlated(60);
    const start = await gptq(W, H, options);
    const { quantize } = gridColumns(W, options);
    const warm = { start: start.values, passes: 5, relax: false };
    const { objectives } = await descendColumns(linalg, W, H, quantize, warm);
    assert.ok((objectives[4] ?? NaN) <= (await proxyError(linalg, W, start.values, H)));
    const cold = await descendColumns(linalg, W, H, quantize, { passes: 12 });
    const rounded = await proxyError(linalg, W, { ...W, data: nearest(W, options) }, H);
    assert.ok((cold.objectives[11] ?? NaN) < 0.8 * rounded);
  });
  it("rounds to nearest where inputs are uncorrelated, or never seen", async () => {
    const W = single(normalMatrix(7, 40, 23));
    const H = diagonal(Array.from({ length: 40 }, (_, i) => i));
    const { quantize } = gridColumns(W, options);
    const order = Int32Array.from({ length: 40 }, (_, i) => 39 - i);
    const { values } = await descendColumns(linalg, W, H, quantize, { order });
    assert.deepEqual(new Float32Array(values.data), nearest(W, options));
  });
});
