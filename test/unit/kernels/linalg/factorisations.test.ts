/** @file Products, QR, LU, Cholesky, triangular systems and SPD inverses: the bounds of the docstrings, and the references. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { choleskyReference, solveLowerReference } from "../../../../kernels/cholesky/reference.ts";
import { multiplyReference } from "../../../../kernels/gemm/reference.ts";
import type { Gemm, Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { luReference } from "../../../../kernels/lu/reference.ts";
import { qrReference } from "../../../../kernels/qr/reference.ts";
import * as cases from "./matrices.ts";

const { bound, difference, disorder, eps, matrices, norm, random } = cases;

/** A symmetric positive definite matrix. */
function positive(n: number, seed: number): Matrix {
  const X = random(n, n, seed);
  const S = multiplyReference(transposedCopy(X), X);
  return cases.matrix(n, n, (i, j) => (S.data[i * n + j] ?? NaN) + (i === j ? 0.1 : 0));
}

describe("linear algebra: products and factorisations", () => {
  let linalg: Linalg;
  before(async () => {
    linalg = await cases.makeLinalg();
  });

  for (const [m, n, k] of [
    [1, 1, 1],
    [4, 4, 4],
    [5, 3, 7],
    [3, 9, 1],
    [17, 31, 300],
    [101, 33, 65],
    [8, 1100, 20],
    [20, 0, 5],
    [5, 5, 0],
  ] as const)
    it(`multiplies ${m} × ${k} by ${k} × ${n}, however they are transposed`, async () => {
      const A = random(m, k, 1);
      const B = random(k, n, 2);
      const expected = multiplyReference(A, B);
      const limit = k * eps * norm(A) * norm(B);
      for (const transposeA of [false, true])
        for (const transposeB of [false, true]) {
          const a = transposeA ? transposedCopy(A) : A;
          const b = transposeB ? transposedCopy(B) : B;
          const how = { transposeA, transposeB };
          const found = await linalg.multiply(a, b, how);
          assert.ok(difference(found, expected) <= limit);
          const single = (X: Matrix) => ({ ...X, data: new Float32Array(X.data) });
          const small = await linalg.multiply(single(a), single(b), how);
          const wide = { ...small, data: Float64Array.from(small.data) };
          assert.ok(difference(wide, expected) <= 2 ** 31 * limit);
        }
    });

  for (const [name, A] of Object.entries(matrices)) {
    it(`QR keeps its bounds: ${name}`, async () => {
      const { Q, R } = await linalg.qr(A);
      const limit = bound(A) * norm(A) + 2 ** -1070;
      assert.ok(difference(multiplyReference(Q, R), A) <= limit);
      assert.ok(disorder(Q) <= bound(A));
      assert.deepEqual(await linalg.triangle(A), R);
      for (let i = 0; i < R.rows; i++)
        for (let j = 0; j < i; j++) assert.equal(R.data[i * R.columns + j], 0);
    });
    it(`LU keeps its bounds: ${name}`, async () => {
      const { L, U, permutation } = await linalg.lu(A);
      const swapped = cases.matrix(
        ...[A.rows, A.columns],
        (i, j) => A.data[(permutation[i] ?? NaN) * A.columns + j] ?? NaN,
      );
      assert.deepEqual(
        [...permutation].sort((a, b) => a - b),
        [...Array(A.rows).keys()],
      );
      const absolute = (X: Matrix) => ({ ...X, data: X.data.map(Math.abs) });
      const size = norm(multiplyReference(absolute(L), absolute(U)));
      assert.ok(difference(multiplyReference(L, U), swapped) <= 0.5 * bound(A) * size + 2 ** -1070);
      assert.ok(L.data.every((value) => Math.abs(value) <= 1));
    });
  }
  it("QR and LU agree with their references where they are unique", async () => {
    const A = random(70, 45, 3);
    const expected = luReference(A);
    const found = await linalg.lu(A);
    assert.deepEqual([...found.permutation], expected.permutation);
    assert.ok(difference(found.U, expected.U) <= 1e-12);
    const { R } = await linalg.qr(A);
    const reference = qrReference(A).R;
    const magnitudes = (X: Matrix) => ({ ...X, data: X.data.map(Math.abs) });
    assert.ok(difference(magnitudes(R), magnitudes(reference)) <= 1e-12);
  });

  for (const n of [1, 2, 7, 48, 49, 130])
    it(`Cholesky, SPD systems and inverses of ${n} × ${n}`, async () => {
      const A = positive(n, n);
      const result = await linalg.cholesky(A);
      assert.equal(await linalg.isPositiveDefinite(A), true);
      if (result.kind !== "factor") assert.fail(`minor ${result.index}`);
      const { L } = result;
      assert.ok(difference(multiplyReference(L, transposedCopy(L)), A) <= 4 * n * eps * norm(A));
      assert.ok(difference(L, choleskyReference(A) ?? A) <= 1e-10 * norm(L));
      const B = random(n, 5, 9);
      const X = await linalg.solveSpd(A, B);
      assert.ok(X !== undefined);
      // The residual of a backward stable solution: n ε ‖A‖ ‖X‖.
      assert.ok(difference(multiplyReference(A, X), B) <= 16 * n * eps * norm(A) * norm(X));
      const half = await linalg.whiten(A, B);
      assert.ok(half !== undefined);
      assert.ok(difference(multiplyReference(L, half), B) <= 2 * n * eps * norm(L) * norm(half));
      const inverse = await linalg.spdInverse(A, 0.25);
      assert.ok(inverse !== undefined);
      const damped = cases.matrix(
        n,
        n,
        (i, j) => (A.data[i * n + j] ?? NaN) + (i === j ? 0.25 : 0),
      );
      const off = difference(multiplyReference(damped, inverse), cases.identity(n));
      assert.ok(off <= 16 * n * eps * norm(damped) * norm(inverse));
      assert.deepEqual(inverse.data, transposedCopy(inverse).data);
    });
  it("Cholesky in wide panels, as large matrices have it", async () => {
    const n = 1100;
    const factor = random(n, 40, 3);
    const A = await linalg.multiply(factor, factor, { transposeB: true });
    for (let i = 0; i < n; i++) A.data[i * n + i] = (A.data[i * n + i] ?? NaN) + 1;
    const result = await linalg.cholesky(A);
    if (result.kind !== "factor") assert.fail(`minor ${result.index}`);
    const { L } = result;
    const product = await linalg.multiply(L, L, { transposeB: true });
    assert.ok(difference(product, A) <= 4 * n * eps * norm(A));
    assert.ok(L.data.every((value, i) => value === 0 || i % n <= Math.floor(i / n)));
  });
  it("finds the first minor that is not positive definite", async () => {
    for (const [n, bad] of [
      [5, 0],
      [5, 4],
      [100, 60],
      [1100, 1000],
    ] as const) {
      const A = cases.matrix(n, n, (i, j) => (i === j ? (i === bad ? -1 : 2) : 0));
      assert.deepEqual(await linalg.cholesky(A), { kind: "not-positive-definite", index: bad });
      assert.equal(await linalg.isPositiveDefinite(A), false);
      if (n > 100) continue;
      assert.equal(await linalg.solveSpd(A, A), undefined);
      assert.equal(await linalg.whiten(A, A), undefined);
      assert.equal(await linalg.spdInverse(A, 0.5), undefined);
      assert.ok((await linalg.spdInverse(A, 1.5)) !== undefined);
    }
  });
  it("reads the lower triangle alone", async () => {
    const A = positive(60, 4);
    const lower = cases.matrix(60, 60, (i, j) => (j > i ? 1e9 : (A.data[i * 60 + j] ?? NaN)));
    assert.deepEqual(await linalg.cholesky(lower), await linalg.cholesky(A));
    assert.deepEqual(await linalg.eigenvalues(lower), await linalg.eigenvalues(A));
    assert.deepEqual(await linalg.inertia(lower, 3), await linalg.inertia(A, 3));
  });
  it("solves triangular systems of all four kinds", async () => {
    for (const n of [1, 6, 48, 111]) {
      const T = cases.matrix(n, n, (i, j) => (i === j ? 3 + (i % 3) : Math.sin(i * 7 + j) / n));
      const B = random(n, 4, 5);
      for (const triangle of ["lower", "upper"] as const)
        for (const transposed of [false, true])
          for (const unit of [false, true]) {
            const X = await linalg.solveTriangular(T, { triangle, transposed, unit }, B);
            const kept = cases.matrix(n, n, (i, j) => {
              if (i === j) return unit ? 1 : (T.data[i * n + j] ?? NaN);
              return (triangle === "lower") === j < i ? (T.data[i * n + j] ?? NaN) : 0;
            });
            const system = transposed ? transposedCopy(kept) : kept;
            const residual = difference(multiplyReference(system, X), B);
            assert.ok(residual <= 8 * n * eps * norm(system) * norm(X));
            if (triangle === "lower" && !transposed && !unit)
              assert.ok(difference(X, solveLowerReference(kept, B)) <= 1e-13 * norm(X));
          }
    }
  });
  it("hands large products to the caller's gemm, small ones not", async () => {
    let calls = 0;
    const gemm: Gemm = (a, b) => {
      calls++;
      return Promise.resolve(multiplyReference(a, b));
    };
    const other = await cases.makeLinalg({ gemm });
    const small = random(30, 30, 6);
    assert.deepEqual((await other.svd(small)).sigma, (await linalg.svd(small)).sigma);
    assert.equal(calls, 0);
    const A = random(160, 150, 7);
    const C = await other.multiply(A, A, { transposeA: true });
    assert.ok(difference(C, await linalg.multiply(A, A, { transposeA: true })) <= 1e-12);
    assert.equal(calls, 1);
    const inPlace = await cases.makeLinalg({
      gemm: async (a, b, into) => {
        assert.ok(into !== undefined);
        into.set((await gemm(a, b)).data);
        return { rows: a.rows, columns: b.columns, data: into };
      },
    });
    assert.deepEqual(await inPlace.multiply(A, A, { transposeA: true }), C);
    const wrong = await cases.makeLinalg({ gemm: () => Promise.resolve(small) });
    await assert.rejects(wrong.multiply(A, A, { transposeA: true }), RangeError);
  });
  it("answers calls that are made at once, each with its own result", async () => {
    const inputs = [8, 40, 90].map((n) => random(n, n, n));
    const together = await Promise.all(inputs.map((A) => linalg.svd(A)));
    for (const [i, A] of inputs.entries()) assert.deepEqual(together[i], await linalg.svd(A));
  });
  it("refuses what is not finite or does not fit", async () => {
    const square = random(3, 3, 8);
    const bad = { ...square, data: square.data.with(4, Infinity) };
    for (const call of [
      () => linalg.multiply(bad, square),
      () => linalg.multiply(square, bad),
      () => linalg.qr(bad),
      () => linalg.lu(bad),
      () => linalg.cholesky(bad),
      () => linalg.eigh(bad),
      () => linalg.inertia(bad),
      () => linalg.assignment(bad),
      () => linalg.spdInverse(bad, 1),
      () => linalg.whiten(square, bad),
    ])
      await assert.rejects(call, { name: "RangeError", message: /\[1, 1\] is Infinity/ });
    await assert.rejects(linalg.multiply(square, random(2, 3, 1)), /3 × 3 by 2 × 3/);
    await assert.rejects(linalg.cholesky(random(2, 3, 1)), /2 × 3 is not square/);
    await assert.rejects(linalg.spdInverse(square, NaN), RangeError);
    const zero = { ...square, data: square.data.with(8, 0) };
    await assert.rejects(linalg.solveTriangular(zero, { triangle: "lower" }, square), /row 2/);
  });
});
