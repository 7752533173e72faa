/** @file Thin SVD and singular values: the bounds of the docstring on every awkward matrix, and the values of one-sided Jacobi. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { multiplyReference } from "../../../../kernels/gemm/reference.ts";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { svdReference } from "../../../../kernels/svd/reference.ts";
import { pseudoRandom } from "../pseudo-random.ts";
import * as cases from "./matrices.ts";

const { bound, difference, disorder, matrices, norm, random, timesDiagonal } = cases;

describe("svd", () => {
  let linalg: Linalg;
  before(async () => {
    linalg = await cases.makeLinalg();
  });

  for (const [name, A] of Object.entries(matrices))
    it(`keeps its bounds: ${name}`, async () => {
      const { U, sigma, Vt } = await linalg.svd(A);
      const k = Math.min(A.rows, A.columns);
      assert.deepEqual([U.rows, U.columns, Vt.rows, Vt.columns], [A.rows, k, k, A.columns]);
      // Subnormal numbers have few digits: results cannot be better than their spacing.
      const size = Math.max(norm(A), name === "subnormal" ? 1e-300 : 0);
      const error = difference(multiplyReference(timesDiagonal(U, sigma), Vt), A);
      assert.ok(error <= bound(A) * size, `‖A − USVᵀ‖ ${error / size}`);
      assert.ok(disorder(U) <= bound(A), `U ${disorder(U)}`);
      assert.ok(disorder(transposedCopy(Vt)) <= bound(A), `V ${disorder(transposedCopy(Vt))}`);
      assert.ok(sigma.every((value, i) => value >= 0 && value <= (sigma[i - 1] ?? Infinity)));

      const values = await linalg.singularValues(A);
      const small = size > 0 && size < 1e-300;
      const unit = size === 0 || small ? 1 : 1 / size;
      const expected = svdReference(cases.scaled(A, unit)).sigma;
      for (const found of [sigma, values])
        for (const [i, value] of found.entries())
          assert.ok(
            small || Math.abs(value * unit - (expected[i] ?? NaN)) <= bound(A),
            `σ_${i} ${value * unit} ≠ ${expected[i] ?? NaN}`,
          );
    });

  it("knows the singular values of closed forms", async () => {
    const n = 80;
    // The second difference matrix: 2 − 2 cos(jπ / (n + 1)). The triangle of ones: 1 / (2 sin((2j − 1)π / (4n + 2))).
    const laplacian = cases.matrix(n, n, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0));
    const triangle = cases.matrix(n, n, (i, j) => Number(j >= i));
    const expected = [
      [laplacian, (j: number) => 2 - 2 * Math.cos(((n + 1 - j) * Math.PI) / (n + 1))],
      [triangle, (j: number) => 0.5 / Math.sin(((2 * j - 1) * Math.PI) / (4 * n + 2))],
    ] as const;
    for (const [A, value] of expected) {
      const sigma = await linalg.singularValues(A);
      for (const [i, found] of sigma.entries())
        assert.ok(Math.abs(found - value(i + 1)) <= bound(A) * norm(A), `σ_${i}`);
    }
  });

  it("ends where equal values have an element of their own rounding between them", async () => {
    const draw = pseudoRandom(1);
    for (let i = 0; i < 4000; i++) {
      const d = 0.5 + 0.5 * draw();
      const next = d * (1 + Math.round(2 * draw() - 1) * 2 ** -52);
      const e = (1 + 2 * draw()) * 2 ** -53;
      const A: Matrix = { rows: 2, columns: 2, data: Float64Array.of(d, e, 0, next) };
      for (const value of await linalg.singularValues(A))
        assert.ok(Math.abs(value - d) <= 16 * 2 ** -53, `${d} ${next} ${e}`);
    }
  });

  for (const [rows, columns, r] of [
    [40, 40, 3],
    [90, 40, 3],
    [40, 90, 3],
    [70, 40, 30],
    [260, 150, 4],
    [41, 24, 3],
  ] as const)
    it(`knows the values before and after an update of rank ${r}: ${rows} × ${columns}`, async () => {
      const A = random(rows, columns, 1);
      const L = random(rows, r, 2);
      const R = random(columns, r, 3);
      for (const [a, l] of [
        [1, 1],
        [1, 100],
        [0, 1],
        [2 ** 300, 2 ** 300],
        [2 ** -700, 1],
      ] as const) {
        const base = cases.scaled(A, a);
        const left = cases.scaled(L, l);
        const found = await linalg.singularValuesOfBoth(base, left, R);
        const change = multiplyReference(left, transposedCopy(R));
        const data = base.data.map((value, i) => value + (change.data[i] ?? NaN));
        const size = norm(base) + norm(change);
        for (const [values, W] of [
          [found.before, base],
          [found.after, { ...base, data }],
        ] as const) {
          const expected = await linalg.singularValues(W);
          assert.equal(values.length, expected.length);
          for (const [i, value] of values.entries())
            assert.ok(Math.abs(value - (expected[i] ?? NaN)) <= bound(A) * size, `σ_${i} ${value}`);
        }
      }
    });
  it("refuses factors that do not fit", async () => {
    const [A, L, R] = [random(5, 4, 1), random(5, 2, 2), random(4, 2, 3)];
    await assert.rejects(linalg.singularValuesOfBoth(A, R, L), /factors of 4 × 2 and 5 × 2/);
  });
  it("returns float32 for float32, rounded once from the float64 result", async () => {
    const A = random(30, 20, 30);
    const single = { ...A, data: new Float32Array(A.data) };
    const { U, sigma, Vt } = await linalg.svd(single);
    const exact = await linalg.svd({ ...A, data: Float64Array.from(single.data) });
    assert.deepEqual(sigma, new Float32Array(exact.sigma));
    assert.deepEqual(U.data, new Float32Array(exact.U.data));
    assert.deepEqual(Vt.data, new Float32Array(exact.Vt.data));
  });
  it("holds its bounds for float32 of huge and tiny scale", async () => {
    for (const scale of [1e15, 1e-15, 1e30, 1e-30]) {
      const A = {
        rows: 25,
        columns: 30,
        data: new Float32Array(cases.scaled(random(25, 30, 31), scale).data),
      };
      const { U, sigma, Vt } = await linalg.svd(A);
      const wide = (X: { rows: number; columns: number; data: Float32Array }) => ({
        ...X,
        data: Float64Array.from(X.data),
      });
      const error = difference(multiplyReference(timesDiagonal(wide(U), sigma), wide(Vt)), wide(A));
      assert.ok(error <= 4 * 2 ** -24 * norm(wide(A)) * Math.sqrt(25));
    }
  });
  it("gives the same bytes in another context, and keeps its input", async () => {
    const A = random(90, 70, 32);
    const copy = A.data.slice();
    const first = await linalg.svd(A);
    // What the memory held before must not show.
    await linalg.svd(random(100, 100, 33));
    const other = await (await cases.makeLinalg()).svd(A);
    assert.deepEqual(first, other);
    assert.deepEqual(await linalg.svd(A), first);
    assert.deepEqual(A.data, copy);
  });
  it("takes empty matrices", async () => {
    const { U, sigma, Vt } = await linalg.svd({ rows: 5, columns: 0, data: new Float64Array(0) });
    assert.deepEqual([U.columns, sigma.length, Vt.rows], [0, 0, 0]);
  });
  it("refuses NaN, infinities and wrong sizes, naming the place", async () => {
    const bad = random(4, 3, 34);
    bad.data[7] = NaN;
    await assert.rejects(linalg.svd(bad), { name: "RangeError", message: /svd.*\[2, 1\].*NaN/ });
    bad.data[7] = -Infinity;
    await assert.rejects(linalg.singularValues(bad), /\[2, 1\] is -Infinity/);
    await assert.rejects(linalg.svd({ ...bad, rows: 5 }), /5 × 3 elements, but 12/);
    await assert.rejects(
      linalg.svd({ rows: -1, columns: 0.5, data: new Float64Array(0) }),
      RangeError,
    );
  });
  it("refuses what does not fit its memory, and goes on", async () => {
    const little = await cases.makeLinalg({ maxBytes: 2 ** 22 });
    await assert.rejects(little.svd(random(400, 400, 35)), /bytes are needed, but the memory ends/);
    const { sigma } = await little.svd(random(10, 10, 36));
    assert.equal(sigma.length, 10);
  });
});
