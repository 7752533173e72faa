/** @file Top-k SVD and block Lanczos: residuals are what they are said to be, values those of the exact ones; assignment against all ways. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { leastCostReference } from "../../../../kernels/assignment/reference.ts";
import { multiplyReference } from "../../../../kernels/gemm/reference.ts";
import { blockLanczos } from "../../../../kernels/krylov/block-lanczos.ts";
import { joinColumns, matrixOperator } from "../../../../kernels/krylov/operator.ts";
import { lanczosReference } from "../../../../kernels/krylov/reference.ts";
import { topSvd } from "../../../../kernels/krylov/top-svd.ts";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { svdReference } from "../../../../kernels/svd/reference.ts";
import * as cases from "./matrices.ts";

const { bound, difference, disorder, matrices, norm, random, scaled, timesDiagonal } = cases;

describe("top-k SVD", () => {
  let linalg: Linalg;
  before(async () => {
    linalg = await cases.makeLinalg();
  });

  for (const [name, A] of Object.entries(matrices))
    for (const method of ["krylov", "subspace"] as const)
      it(`has the residuals it states, ${method}: ${name}`, async () => {
        if (name === "subnormal") return;
        const k = Math.min(A.rows, A.columns, 6);
        const found = await topSvd(linalg, matrixOperator(linalg, A), { k, method, seed: 1 });
        const { U, sigma, Vt, residuals } = found;
        const V = transposedCopy(Vt);
        assert.deepEqual([U.columns, sigma.length, V.columns], [k, k, k]);
        assert.ok(disorder(U) <= bound(A) && disorder(V) <= bound(A));
        const size = norm(A);
        const unit = scaled(A, size > 0 ? 1 / size : 1);
        const relative = sigma.map((value) => (size > 0 ? value / size : value));
        const left = difference(multiplyReference(unit, V), timesDiagonal(U, relative));
        const right = difference(
          multiplyReference(transposedCopy(unit), U),
          timesDiagonal(V, relative),
        );
        const stated = residuals.map((value) => (size > 0 ? value / size : value));
        assert.ok(Math.abs(Math.hypot(left, right) - Math.hypot(...stated)) <= 4 * bound(A));
        // Each is within its residual of an exact singular value, and none above its own.
        const exact = svdReference(unit).sigma;
        const near = A.rows === A.columns ? [...exact] : [...exact, 0];
        for (const [i, value] of relative.entries()) {
          const nearest = Math.min(...near.map((other) => Math.abs(other - value)));
          assert.ok(nearest <= (stated[i] ?? NaN) / Math.SQRT2 + bound(A));
          assert.ok(value <= (exact[i] ?? NaN) + bound(A));
        }
      });
  it("finds the top of a spectrum that decays, to rounding", async () => {
    const sigma = Array.from({ length: 60 }, (_, i) => 0.7 ** i);
    const A = cases.withSingularValues(90, 80, sigma, 2);
    const found = await topSvd(linalg, matrixOperator(linalg, A), { k: 8, seed: 3 });
    for (const [i, value] of found.sigma.entries())
      assert.ok(Math.abs(value - (sigma[i] ?? NaN)) <= bound(A) * norm(A));
    assert.ok(found.residuals.every((value) => value <= 1e-9));
  });
  it("Krylov is at least as near as subspace iteration of as many products", async () => {
    const A = cases.withSingularValues(
      90,
      80,
      Array.from({ length: 80 }, (_, i) => 1 / (i + 1)),
      4,
    );
    const run = (method: "krylov" | "subspace") =>
      topSvd(linalg, matrixOperator(linalg, A), {
        k: 5,
        oversample: 3,
        iterations: 3,
        method,
        seed: 5,
      });
    const [krylov, subspace] = [await run("krylov"), await run("subspace")];
    assert.ok(Math.max(...krylov.residuals) < 0.1 * Math.max(...subspace.residuals));
  });
  it("ends when the tolerance is met, and repeats its bytes for a seed", async () => {
    const A = random(70, 50, 6);
    const options = { k: 4, iterations: 40, tolerance: 1e-6, seed: 7 };
    const found = await topSvd(linalg, matrixOperator(linalg, A), options);
    assert.ok(found.iterations < 40);
    assert.ok(found.residuals.every((value) => value <= 1e-6 * (found.sigma[0] ?? NaN)));
    assert.deepEqual(await topSvd(linalg, matrixOperator(linalg, A), options), found);
    const other = await topSvd(linalg, matrixOperator(linalg, A), { ...options, seed: 8 });
    assert.notDeepEqual(other.U, found.U);
  });
  it("refuses more values than there are", async () => {
    const A = random(5, 3, 9);
    await assert.rejects(topSvd(linalg, matrixOperator(linalg, A), { k: 4, seed: 1 }), RangeError);
  });
});

describe("block Lanczos", () => {
  let linalg: Linalg;
  before(async () => {
    linalg = await cases.makeLinalg();
  });
  const G = cases.symmetricMatrices["wide spread of signs"] ?? cases.identity(2);
  const apply = (X: Matrix) => linalg.multiply(G, X);

  for (const b of [1, 3])
    it(`satisfies its recurrence with blocks of ${b}`, async () => {
      const start = random(60, b, 10);
      const found = await blockLanczos(linalg, { apply, start, steps: 8 });
      const Q = joinColumns(found.Q);
      assert.ok(disorder(Q) <= bound(G));
      assert.ok(difference(multiplyReference(found.Q[0] ?? Q, found.R), start) <= bound(G) * 8);
      const J = blockTridiagonal(found.alpha, found.beta, b);
      assert.ok(
        difference(multiplyReference(transposedCopy(Q), multiplyReference(G, Q)), J) <= 1e-13,
      );
      assert.ok(found.rho <= 8 * 60 * 2 ** -53 * norm(G), `ρ ${found.rho}`);
    });
  for (const [name, A] of Object.entries(cases.symmetricMatrices))
    it(`is orthonormal, and tells its own error: ${name}`, async () => {
      const b = Math.min(2, A.rows);
      const found = await blockLanczos(linalg, {
        ...{ apply: (X) => linalg.multiply(A, X), start: random(A.rows, b, 13), steps: 6 },
      });
      const size = norm(A) || 1;
      const Q = joinColumns(found.Q);
      assert.ok(disorder(Q) <= bound(A));
      assert.ok(found.rho <= bound(A) * size, `ρ ${found.rho} of ${size}`);
      const inside = multiplyReference(
        transposedCopy(Q),
        multiplyReference(scaled(A, 1 / size), Q),
      );
      const J = scaled(blockTridiagonal(found.alpha, found.beta, b), 1 / size);
      assert.ok(difference(inside, J) <= bound(A));
    });
  it("equals the textbook's recurrence for one vector", async () => {
    const start = random(60, 1, 11);
    const found = await blockLanczos(linalg, { apply, start, steps: 10 });
    const expected = lanczosReference(G, start.data, 10);
    for (let j = 0; j < 10; j++) {
      assert.ok(Math.abs((found.alpha[j]?.data[0] ?? NaN) - (expected.alpha[j] ?? NaN)) <= 1e-10);
      assert.ok(
        Math.abs(Math.abs(found.beta[j]?.data[0] ?? NaN) - (expected.beta[j] ?? NaN)) <= 1e-10,
      );
    }
  });
  it("goes on, orthogonal, where the space of Krylov is exhausted, and ends when it is full", async () => {
    const identity = await blockLanczos(linalg, {
      ...{ apply: (X) => Promise.resolve(X), start: random(6, 2, 12), steps: 50 },
    });
    assert.equal(identity.Q.length, 3);
    assert.equal(identity.next, undefined);
    assert.ok(disorder(joinColumns(identity.Q)) <= 1e-14);
    assert.ok(identity.rho <= 1e-14);
  });
});

describe("assignment", () => {
  let linalg: Linalg;
  before(async () => {
    linalg = await cases.makeLinalg();
  });
  const total = (cost: Matrix, columns: Int32Array) =>
    columns.reduce((sum, column, row) => sum + (cost.data[row * cost.columns + column] ?? NaN), 0);

  it("costs as little as the best of all ways", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const rows = 1 + (seed % 6);
      const columns = rows + (seed % 3);
      const whole = seed % 2 === 0;
      const base = random(rows, columns, seed);
      const cost = { ...base, data: base.data.map((x) => (whole ? Math.round(3 * x) : x)) };
      const found = await linalg.assignment(cost);
      assert.equal(new Set(found).size, rows);
      assert.ok(Math.abs(total(cost, found) - leastCostReference(cost)) <= 1e-12);
      const most = await linalg.assignment(cost, true);
      assert.ok(Math.abs(total(cost, most) + leastCostReference(scaled(cost, -1))) <= 1e-12);
    }
  });
  it("undoes a permutation of 150 rows", async () => {
    const n = 150;
    const place = (i: number) => (i * 47) % n;
    const A = cases.matrix(n, n, (i, j) =>
      j === place(i) ? 1 : Math.abs(Math.sin(i * n + j)) * 0.9,
    );
    const found = await linalg.assignment(A, true);
    assert.deepEqual(
      [...found],
      Array.from({ length: n }, (_, i) => place(i)),
    );
  });
  it("takes all-equal costs, no rows, and refuses more rows than columns", async () => {
    assert.deepEqual([...(await linalg.assignment(cases.matrix(3, 4, () => 7)))].sort(), [0, 1, 2]);
    assert.equal((await linalg.assignment(cases.matrix(0, 4, () => 7))).length, 0);
    await assert.rejects(linalg.assignment(random(4, 3, 1)), /4 rows, but only 3 columns/);
  });
});

function blockTridiagonal(alpha: readonly Matrix[], beta: readonly Matrix[], b: number): Matrix {
  const n = alpha.length * b;
  return cases.matrix(n, n, (i, j) => {
    const [p, q] = [Math.floor(i / b), Math.floor(j / b)];
    const within = (i % b) * b + (j % b);
    if (p === q) return alpha[p]?.data[within] ?? NaN;
    if (p === q + 1) return beta[q]?.data[within] ?? NaN;
    if (q === p + 1) return beta[p]?.data[(j % b) * b + (i % b)] ?? NaN;
    return 0;
  });
}
