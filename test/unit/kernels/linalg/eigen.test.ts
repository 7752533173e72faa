/** @file Symmetric and tridiagonal eigenproblems and inertia: docstring bounds, Jacobi's values, closed forms. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { eighReference } from "../../../../kernels/eigen/reference.ts";
import { multiplyReference } from "../../../../kernels/gemm/reference.ts";
import { inertiaReference } from "../../../../kernels/inertia/reference.ts";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import * as cases from "./matrices.ts";

const { bound, difference, disorder, norm, symmetricMatrices, timesDiagonal } = cases;

describe("symmetric eigenproblems", () => {
  let linalg: Linalg;
  before(async () => {
    linalg = await cases.makeLinalg();
  });

  for (const [name, A] of Object.entries(symmetricMatrices)) {
    it(`eigh keeps its bounds: ${name}`, async () => {
      const { values, V } = await linalg.eigh(A);
      check(A, values, V);
      const limit = bound(A) * norm(A);
      const expected = eighReference(cases.scaled(A, 1 / (norm(A) || 1))).values;
      for (const found of [values, await linalg.eigenvalues(A)])
        for (const [i, value] of found.entries()) {
          assert.ok(Math.abs(value - (expected[i] ?? NaN) * norm(A)) <= limit, `λ_${i}`);
          assert.ok(value >= (found[i - 1] ?? -Infinity));
        }
    });
    it(`inertia counts eigenvalues: ${name}`, async () => {
      if (norm(A) > 1e100 || (norm(A) > 0 && norm(A) < 1e-100)) return;
      // Shifts in the middle of gaps, where counts are certain.
      const { values } = eighReference(A);
      for (const [i, value] of values.entries()) {
        const next = values[i + 1] ?? value + 1;
        if (i % 7 > 0 || next - value < 1e-9 * (norm(A) + 1)) continue;
        const shift = 0.5 * (value + next);
        const { positive, negative, zero } = await linalg.inertia(A, shift);
        assert.deepEqual([positive, negative, zero], [A.rows - i - 1, i + 1, 0]);
        if (i === 0) assert.deepEqual({ positive, negative, zero }, inertiaReference(A, shift));
      }
    });
  }
  it("tells the inertia of singular and of hollow matrices", async () => {
    const pick = async (A: Matrix) => {
      const { positive, negative, zero } = await linalg.inertia(A);
      return [positive, negative, zero];
    };
    assert.deepEqual(await pick(cases.matrix(5, 5, () => 0)), [0, 0, 5]);
    assert.deepEqual(await pick(cases.matrix(4, 4, (i, j) => Number(i + j === 3))), [2, 2, 0]);
    assert.deepEqual(await pick(cases.matrix(3, 3, (i, j) => Number(i !== j))), [1, 2, 0]);
    assert.deepEqual(await pick(cases.matrix(0, 0, () => 0)), [0, 0, 0]);
    assert.equal((await linalg.inertia(cases.identity(3), 1)).smallestPivot, 0);
  });

  it("solves tridiagonal problems with known answers", async () => {
    for (const n of [1, 2, 25, 120]) {
      const diagonal = new Float64Array(n).fill(2);
      const off = new Float64Array(n - 1).fill(-1);
      const { values, V } = await linalg.tridiagonalEigh(diagonal, off);
      const T = cases.matrix(n, n, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0));
      check(T, values, V);
      const alone = await linalg.tridiagonalEigenvalues(diagonal, off);
      for (let j = 0; j < n; j++) {
        const exact = 2 - 2 * Math.cos(((j + 1) * Math.PI) / (n + 1));
        for (const found of [values, alone])
          assert.ok(Math.abs((found[j] ?? NaN) - exact) <= bound(T) * norm(T));
      }
    }
  });
  it("solves tridiagonal problems that are huge, tiny, zero and split", async () => {
    for (const scale of [1e150, 1e-150, 0]) {
      const diagonal = Float64Array.from({ length: 50 }, (_, i) => scale * Math.cos(i));
      const off = Float64Array.from({ length: 49 }, (_, i) =>
        i % 9 === 0 ? 0 : scale * Math.sin(i),
      );
      const { values, V } = await linalg.tridiagonalEigh(diagonal, off);
      const value = (i: number, j: number) =>
        (i === j ? diagonal[i] : Math.abs(i - j) === 1 ? off[Math.min(i, j)] : 0) ?? NaN;
      check(cases.matrix(50, 50, value), values, V);
    }
    await assert.rejects(
      linalg.tridiagonalEigh(new Float64Array(3), new Float64Array(3)),
      RangeError,
    );
    const bad = Float64Array.of(1, NaN);
    await assert.rejects(linalg.tridiagonalEigh(bad, new Float64Array(1)), /\[0, 1\] is NaN/);
  });
  it("returns float32 for float32", async () => {
    const A = { rows: 2, columns: 2, data: Float32Array.of(2, 1, 1, 2) };
    assert.deepEqual(await linalg.eigenvalues(A), Float32Array.of(1, 3));
    assert.ok((await linalg.eigh(A)).V.data instanceof Float32Array);
  });

  function check(A: Matrix, values: Float64Array, V: Matrix): void {
    const error = difference(multiplyReference(A, V), timesDiagonal(V, values));
    assert.ok(error <= bound(A) * norm(A), `‖AV − VΛ‖ ${error / norm(A)}`);
    assert.ok(disorder(V) <= bound(A), `VᵀV ${disorder(V)}`);
  }
});
