/** @file Gaps by a count: as wide as they are, and none where a vector was missed. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { matrixOperator } from "../../../../kernels/krylov/operator.ts";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { formGram } from "../../../../src/engine/analyze/gram.ts";
import { knownGaps } from "../../../../src/engine/analyze/known-gaps.ts";
import { frobenius } from "../../../../src/engine/analyze/products.ts";
import { gapsOf, krylovTop, type TopVectors } from "../../../../src/engine/analyze/top-vectors.ts";
import { at } from "../../../../src/shared/errors.ts";
import { makeLinalg, withSingularValues } from "../../kernels/linalg/matrices.ts";

let linalg: Linalg;
before(async () => {
  linalg = await makeLinalg();
});

const sigma = Array.from({ length: 90 }, (_, i) => 10 * 0.9 ** i);

async function found(A: Matrix): Promise<readonly [Matrix, TopVectors]> {
  const top = await krylovTop({ linalg }, matrixOperator(linalg, A), {
    ...{ count: 8, error: 1e-6, cluster: 1e-5, seed: 1 },
  });
  return [await formGram({ linalg }, A), top];
}

function without({ rows, columns, data }: Matrix, missed: number): Matrix {
  const keep = (_: number, i: number) => Math.floor(i / columns) !== missed;
  return { rows: rows - 1, columns, data: data.filter(keep) };
}

describe("gaps by a count", () => {
  for (const [rows, columns] of [
    [90, 90],
    [90, 300],
    [300, 90],
  ] as const) {
    it(`are those of the singular values: ${rows} × ${columns}`, async () => {
      const A = withSingularValues(rows, columns, sigma, 3);
      const [G, top] = await found(A);
      const known = await knownGaps({ linalg }, G, top, frobenius(A), Math.max(rows, columns));
      assert.equal(known.gapFrom, "inertia");
      for (const [i, gap] of known.gaps.entries()) {
        const exact = at(sigma, i) - at(sigma, i + 1);
        assert.ok(gap <= exact && gap > 0.7 * exact, `${i}: ${gap} of ${exact}`);
      }
    });

    it(`are none from a missed vector on: ${rows} × ${columns}`, async () => {
      const A = withSingularValues(rows, columns, sigma, 4);
      const [G, top] = await found(A);
      const missed = 3;
      const kept = (values: Float64Array) => values.filter((_, i) => i !== missed);
      const fewer = {
        ...{ sigma: kept(top.sigma), residuals: kept(top.residuals), gapFrom: "ritz" as const },
        ...{ left: without(top.left, missed), right: without(top.right, missed) },
      };
      const believed = { ...fewer, gaps: gapsOf(fewer.sigma, fewer.residuals) };
      assert.ok(believed.gaps.every((gap) => gap > 0));
      const known = await knownGaps({ linalg }, G, believed, frobenius(A), Math.max(rows, columns));
      for (const [i, gap] of known.gaps.entries()) {
        const next = at(sigma, i + 1);
        assert.ok(gap <= at(sigma, i) - next, `${i}: ${gap}`);
        if (i >= missed) assert.equal(gap, 0, `${i}`);
      }
    });
  }
});
