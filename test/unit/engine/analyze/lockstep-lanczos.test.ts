/** @file Many Lanczos recurrences in lockstep: each as if it were alone, whoever ends before it. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { lanczosReference } from "../../../../kernels/krylov/reference.ts";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { columnOf, lockstepLanczos } from "../../../../src/engine/analyze/lockstep-lanczos.ts";
import { at } from "../../../../src/shared/errors.ts";
import { makeLinalg, random } from "../../kernels/linalg/matrices.ts";
import { times } from "./families.ts";

describe("Lanczos in lockstep", () => {
  let linalg: Linalg;
  before(async () => {
    linalg = await makeLinalg();
  });
  const symmetric = (n: number): Matrix => {
    const A = random(n, n, 1);
    return times(A, transposedCopy(A));
  };

  it("makes the steps of each alone, while others end", async () => {
    const [n, count, steps] = [60, 37, 12];
    const G = symmetric(n);
    const block = random(n, count, 2);
    const starts = Array.from({ length: count }, (_, j) => columnOf(block, j));
    const lanczos = lockstepLanczos({ linalg }, (X) => linalg.multiply(G, X), starts);
    const lasts = starts.map((_, j) => 1 + ((5 * j) % steps));
    for (let step = 1; step <= steps; step++)
      await lanczos.step(starts.flatMap((_, j) => (at(lasts, j) >= step ? [j] : [])));
    for (const [j, start] of starts.entries()) {
      const { alpha, beta, rho, complete } = lanczos.view(j);
      const expected = lanczosReference(G, start, at(lasts, j));
      assert.equal(alpha.length, at(lasts, j));
      for (const [i, value] of alpha.entries()) {
        assert.ok(Math.abs(value - at(expected.alpha, i)) < 1e-9, `α_${i} of ${j}`);
        assert.ok(Math.abs(at(beta, i) - at(expected.beta, i)) < 1e-9, `β_${i} of ${j}`);
      }
      assert.ok(rho < 1e-11 && !complete, `${j}: ${rho}`);
    }
  });

  it("ends where the space is full, or where there was no start", async () => {
    const G = symmetric(5);
    const starts = [columnOf(random(5, 1, 3), 0), new Float64Array(5)];
    const lanczos = lockstepLanczos({ linalg }, (X) => linalg.multiply(G, X), starts);
    for (let step = 1; step <= 7; step++) await lanczos.step([0, 1]);
    const { alpha, beta, complete, rho } = lanczos.view(0);
    assert.deepEqual([alpha.length, beta.at(-1), complete], [5, 0, true]);
    assert.ok(rho < 1e-12, `${rho}`);
    assert.deepEqual(lanczos.view(1), { alpha: [], beta: [], rho: 0, complete: true });
  });
});
