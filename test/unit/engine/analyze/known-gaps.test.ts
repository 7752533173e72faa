/** @file Gaps by a count: as wide as they are, and none where a vector was missed. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { matrixOperator } from "../../../../kernels/krylov/operator.ts";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { fullBaseSvd } from "../../../../src/engine/analyze/exact-cosines.ts";
import { intruderDefaults } from "../../../../src/engine/analyze/finding.ts";
import { formGram } from "../../../../src/engine/analyze/gram.ts";
import { intruders } from "../../../../src/engine/analyze/intruders.ts";
import { provesByKept } from "../../../../src/engine/analyze/kept-count.ts";
import {
  knownGaps,
  provedOrLikely,
  type Proves,
} from "../../../../src/engine/analyze/known-gaps.ts";
import { lowRankChange } from "../../../../src/engine/analyze/low-rank-change.ts";
import { frobenius } from "../../../../src/engine/analyze/products.ts";
import { shiftedCounts } from "../../../../src/engine/analyze/shifted-counts.ts";
import type { Factors, KeptSvd, SvdCache } from "../../../../src/engine/analyze/source.ts";
import { gapsOf, krylovTop, type TopVectors } from "../../../../src/engine/analyze/top-vectors.ts";
import { at } from "../../../../src/shared/errors.ts";
import { makeLinalg, random, scaled, withSingularValues } from "../../kernels/linalg/matrices.ts";
import { added, pairOf, times } from "./families.ts";

let linalg: Linalg;
before(async () => {
  linalg = await makeLinalg();
});

const sigma = Array.from({ length: 90 }, (_, i) => 10 * 0.9 ** i);

const shapes = [
  [90, 90],
  [90, 300],
  [300, 90],
] as const;

async function top(A: Matrix, error = 1e-6): Promise<TopVectors> {
  return krylovTop({ linalg }, matrixOperator(linalg, A), {
    ...{ count: 8, error, cluster: 1e-5, seed: 1 },
  });
}

async function byCholesky(A: Matrix): Promise<Proves> {
  const [size, long] = [frobenius(A), Math.max(A.rows, A.columns)];
  const [gram, near] = [await formGram({ linalg }, A), await top(A)];
  return shiftedCounts({ linalg }, { gram, near, size, long }).before;
}

/** As if the random start had met nothing of one vector. */
function missing(found: TopVectors, missed: number): TopVectors {
  const kept = (values: Float64Array) => values.filter((_, i) => i !== missed);
  const without = ({ rows, columns, data }: Matrix): Matrix => ({
    ...{ rows: rows - 1, columns },
    data: data.filter((_, i) => Math.floor(i / columns) !== missed),
  });
  const [values, residuals] = [kept(found.sigma), kept(found.residuals)];
  return {
    ...{ sigma: values, residuals, gaps: gapsOf(values, residuals) },
    ...{ left: without(found.left), right: without(found.right) },
    gapFrom: found.gapFrom.slice(1),
  };
}

function factorsOf(rows: number, columns: number): readonly Factors[] {
  return [{ B: scaled(random(rows, 3, 5), 0.9), A: random(3, columns, 6), scale: 0.7 }];
}

function tunedBy(W: Matrix, factors: readonly Factors[]): Matrix {
  const sum = (one: Factors) => times(scaled(wide(one.B), one.scale), wide(one.A));
  return factors.reduce((A, one) => added(A, sum(one)), W);
}

function wide({ rows, columns, data }: Factors["A"]): Matrix {
  return { rows, columns, data: Float64Array.from(data) };
}

describe("gaps by a count", () => {
  for (const [rows, columns] of shapes) {
    it(`are those of the singular values: ${rows} × ${columns}`, async () => {
      const A = withSingularValues(rows, columns, sigma, 3);
      const known = await knownGaps(await top(A), await byCholesky(A));
      for (const [i, gap] of known.gaps.entries()) {
        const exact = at(sigma, i) - at(sigma, i + 1);
        assert.equal(at(known.gapFrom, i), "inertia");
        assert.ok(gap <= exact && gap > 0.7 * exact, `${i}: ${gap} of ${exact}`);
      }
    });

    it(`are none from a missed vector on: ${rows} × ${columns}`, async () => {
      const A = withSingularValues(rows, columns, sigma, 4);
      const missed = 3;
      const believed = missing(await top(A), missed);
      assert.ok(believed.gaps.every((gap) => gap > 0));
      const proves = await byCholesky(A);
      const known = await knownGaps(believed, proves);
      const likely = await provedOrLikely(believed, proves);
      for (const [i, gap] of known.gaps.entries()) {
        const next = at(sigma, i + 1);
        assert.ok(gap <= at(sigma, i) - next, `${i}: ${gap}`);
        if (i >= missed) assert.equal(gap, 0, `${i}`);
        assert.equal(at(likely.gapFrom, i), gap > 0 ? "inertia" : "ritz");
      }
    });

    it(`of W from W₀'s kept SVD or Gram matrix and factors: ${rows} × ${columns}`, async () => {
      const base = withSingularValues(rows, columns, sigma, 7);
      const factors = factorsOf(rows, columns);
      const W = tunedBy(base, factors);
      const { sigma: exact } = await linalg.svd(W);
      const changeOn = (side: "left" | "right") => lowRankChange({ linalg }, base, factors, side);
      const change = await changeOn(rows <= columns ? "left" : "right");
      const found = await top(W);
      const [gram, near] = [await formGram({ linalg }, base), await top(base)];
      const [size, long] = [frobenius(base), Math.max(rows, columns)];
      const kept = await fullBaseSvd(linalg, base);
      for (const proves of [
        await provesByKept({ linalg }, base, size, kept, await changeOn("left")),
        shiftedCounts({ linalg }, { gram, near, size, long, change }).after,
      ]) {
        const known = await knownGaps(found, proves);
        for (const [i, gap] of known.gaps.entries()) {
          const above = i === 0 ? Infinity : at(exact, i - 1) - at(exact, i);
          const exactGap = Math.min(above, at(exact, i) - at(exact, i + 1));
          assert.ok(gap <= exactGap && gap > 0.6 * exactGap, `${i}: ${gap} of ${exactGap}`);
        }
        const fewer = await knownGaps(missing(found, 4), proves);
        assert.ok(fewer.gaps.subarray(4).every((gap) => gap === 0));
      }
    });
  }

  it("go on below a cluster, whose own vectors have none", async () => {
    const values = sigma.map((value, i) => (i === 3 ? at(sigma, 2) : value));
    const A = withSingularValues(90, 120, values, 5);
    const known = await knownGaps(await top(A), await byCholesky(A));
    for (const [i, gap] of known.gaps.entries())
      if (i === 2 || i === 3) assert.ok(gap < 1e-9, `${i}: ${gap}`);
      else assert.ok(gap > 0.1, `${i}: ${gap}`);
  });
});

describe("verdicts without a count", () => {
  const keptOnly = (kept: KeptSvd): SvdCache => ({
    read: (_, kind) => Promise.resolve(kind === "full" ? kept : undefined),
    write: () => Promise.resolve(),
  });
  // As of a matrix above the size up to which Gram matrices are formed, and of values that no block's norm parts.
  const large = { ...intruderDefaults, exactBelow: 0, formBelow: 0, countBelow: 0, k: 6 };

  it("are proved without a Gram matrix where few values are strong", async () => {
    const values = Array.from({ length: 200 }, (_, i) => (i < 14 ? 30 - i : 0.02 * (200 - i)) / 3);
    const base = withSingularValues(200, 240, values, 9);
    const pair = pairOf(base, { kind: "factors", factors: factorsOf(200, 240) });
    const { vectors } = await intruders({ tools: { linalg }, now: () => 0 }, pair, large);
    for (const { by } of vectors) assert.ok(by === "intruder" || by === "not", by);
  });

  it("are likely, and proved where a Gram matrix is formed or the base's SVD is kept", async () => {
    const base = withSingularValues(
      200,
      240,
      Array.from({ length: 200 }, (_, i) => 10 * 0.99 ** i),
      8,
    );
    const pair = pairOf(base, { kind: "factors", factors: factorsOf(200, 240) });
    const by = async (options: Partial<typeof large>, cache?: SvdCache) => {
      const ctx = { tools: { linalg }, cache, now: () => 0 };
      const { vectors } = await intruders(ctx, pair, { ...large, ...options });
      return vectors;
    };
    const likely = await by({});
    assert.deepEqual(new Set(likely.map((one) => one.by)), new Set(["likely"]));
    assert.ok(likely.every(({ intruder }) => intruder !== undefined));
    const kept = await fullBaseSvd(linalg, base);
    const { formBelow, countBelow } = intruderDefaults;
    const ways = [await by({ formBelow }), await by({ countBelow }), await by({}, keptOnly(kept))];
    for (const proved of ways) {
      for (const [j, one] of proved.entries()) {
        assert.equal(one.by, one.intruder === true ? "intruder" : "not", JSON.stringify(one));
        assert.equal(one.intruder, at(likely, j).intruder);
      }
    }
  });
});
