/** @file Leading vectors by a Krylov space: bases that grow, spaces that fill, matrices of any scale. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { joinColumns, matrixOperator } from "../../../../kernels/krylov/operator.ts";
import type { Linalg } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { growingBasis } from "../../../../src/engine/analyze/growing-basis.ts";
import { krylovTop } from "../../../../src/engine/analyze/top-vectors.ts";
import { at } from "../../../../src/shared/errors.ts";
import { difference, disorder, makeLinalg, random, scaled } from "../../kernels/linalg/matrices.ts";
import { added, times } from "./families.ts";

let linalg: Linalg;
before(async () => {
  linalg = await makeLinalg();
});

describe("a basis that grows", () => {
  it("parts blocks, also those with columns inside or alike, and fills the space", async () => {
    const n = 30;
    const { Q } = await linalg.qr(random(n, 5, 1));
    const basis = growingBasis({ linalg }, Q);
    const fresh = random(n, 2, 2);
    const blocks = [
      random(n, 6, 3),
      // Two columns inside, two new, the same two again.
      joinColumns([times(Q, random(5, 2, 4)), fresh, fresh]),
      random(n, 8, 5),
    ];
    for (const X of blocks) {
      const known = transposedCopy(basis.rows());
      const { inside, outside, R } = await basis.part(X);
      const rest = times(transposedCopy(outside), X);
      assert.ok(difference(added(times(known, inside), times(outside, rest)), X) < 1e-12);
      assert.ok(difference(times(transposedCopy(rest), rest), times(transposedCopy(R), R)) < 1e-11);
      basis.join(outside);
      assert.ok(disorder(transposedCopy(basis.rows())) < 1e-13);
    }
    assert.equal(basis.rows().rows, 25);
    const { outside } = await basis.part(random(n, 9, 6));
    assert.equal(outside.columns, 5);
    basis.join(outside);
    assert.ok(disorder(transposedCopy(basis.rows())) < 1e-13);
    assert.equal((await basis.part(random(n, 2, 7))).outside.columns, 0);
  });
});

describe("leading vectors", () => {
  for (const [rows, columns] of [
    [1, 1],
    [3, 3],
    [5, 20],
    [20, 5],
    [25, 60],
    [80, 70],
  ] as const)
    it(`are those of the SVD, whatever the scale: ${rows} × ${columns}`, async () => {
      for (const scale of [0, 1e-150, 1, 1e150]) {
        const A = scaled(random(rows, columns, 3), scale);
        const top = await krylovTop({ linalg }, matrixOperator(linalg, A), {
          ...{ count: 4, error: 1e-6, cluster: 1e-5, seed: 1 },
        });
        const sigma = await linalg.singularValues(A);
        assert.equal(top.sigma.length, Math.min(4, sigma.length));
        for (const [i, value] of top.sigma.entries()) {
          assert.ok(Math.abs(value - at(sigma, i)) <= 1e-9 * at(sigma, 0), `σ_${i} at ${scale}`);
          assert.ok(at(top.residuals, i) <= 1e-5 * at(sigma, 0), `r_${i} at ${scale}`);
        }
      }
    });
});
