/** @file Counts of singular values on matrices that were made to lead them astray, beside an exact SVD. */
import assert from "node:assert/strict";
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { complementCounts } from "../../../../src/engine/analyze/complement-counts.ts";
import { formGram } from "../../../../src/engine/analyze/gram.ts";
import type { Cut } from "../../../../src/engine/analyze/known-gaps.ts";
import { lowRankChange } from "../../../../src/engine/analyze/low-rank-change.ts";
import { frobenius, type Tools } from "../../../../src/engine/analyze/products.ts";
import { shiftedCounts } from "../../../../src/engine/analyze/shifted-counts.ts";
import type { Factors } from "../../../../src/engine/analyze/source.ts";
import type { TopVectors } from "../../../../src/engine/analyze/top-vectors.ts";
import { at } from "../../../../src/shared/errors.ts";
import { matrix, random as gaussian, withSingularValues } from "../../kernels/linalg/matrices.ts";
import { added, times } from "./families.ts";

/** How many counts each kind proved, and how many were asked of it. */
export type Proved = Record<"shifted" | "complement", { asked: number; proved: number }>;

export function nothingProved(): Proved {
  return { shifted: { asked: 0, proved: 0 }, complement: { asked: 0, proved: 0 } };
}

/** Fails where a count says that fewer singular values reach a number than do; sides of the matrix are from `least` to `most`. */
export async function tryCounts(
  tools: Tools,
  random: () => number,
  proved: Proved,
  [least, most]: readonly [number, number] = [3, 32],
): Promise<void> {
  const { linalg } = tools;
  const whole = (last: number) => 1 + Math.floor(random() * last);
  const side = () => least - 1 + whole(most - least + 1);
  const [rows, columns] = [side(), side()];
  const count = Math.min(rows, columns);
  const base = withSingularValues(rows, columns, spectrum(count, random), whole(2 ** 30));
  const rank = whole(3);
  const strength = 10 ** (1 - 4 * random());
  const factor: Factors = {
    B: gaussian(rows, rank, whole(2 ** 30)),
    A: gaussian(rank, columns, whole(2 ** 30)),
    scale: strength / Math.sqrt(rows * columns),
  };
  const W = added(base, scaledProduct(factor));
  const [before, after] = [await linalg.svd(base), await linalg.svd(W)];
  const smaller = rows <= columns ? "left" : "right";
  const change = await lowRankChange(tools, base, [factor], smaller);
  const spoil = random() < 0.3 ? 0 : 10 ** (-12 * random());
  const near = await leading(linalg, before, whole(count), spoil, random);
  const tuned = await leading(linalg, after, whole(count), spoil, random);
  const [size, long] = [frobenius(base), Math.max(rows, columns)];
  const gram = await formGram(tools, base);
  const counts = {
    shifted: shiftedCounts(tools, { gram, near, size, long, change }),
    complement: complementCounts(tools, { base, size, near, tuned, change }),
  } as const;
  for (const which of ["before", "after"] as const) {
    const { sigma } = which === "before" ? before : after;
    const sigma1 = at(sigma, 0);
    const i = whole(count) - 1;
    // On, under and over a singular value, as near as rounding and as far as the next.
    const t = at(sigma, i) * (1 + (random() - 0.5) * 10 ** (-16 * random()));
    if (!(t > 0)) continue;
    const above = sigma.reduce((sum, value) => sum + Number(value > t), 0);
    for (const p of [above - 1, above, above + 1]) {
      if (p < 0) continue;
      const cut: Cut = { p, t, low: Infinity };
      for (const kind of ["shifted", "complement"] as const) {
        const square = await counts[kind][which](cut);
        if (p === above) proved[kind].asked += 1;
        if (square === undefined) continue;
        if (p === above) proved[kind].proved += 1;
        const reached = Math.sqrt(square) + 4e-15 * sigma1;
        const truth = sigma.reduce((sum, value) => sum + Number(value > reached), 0);
        const told = { kind, which, rows, columns, p, t, square, sigma: [...sigma] };
        assert.ok(square >= t * t && truth <= p, JSON.stringify(told));
      }
    }
  }
}

/** A few strong values above noise, geometric, clustered, nearly equal, steep, or rank-deficient. */
function spectrum(count: number, random: () => number): number[] {
  const kind = Math.floor(random() * 6);
  const decay = 0.2 + 0.8 * random();
  const tiny = 10 ** (-15 * random());
  const strong = 1 + Math.floor((random() * count) / 3);
  const noise = 10 ** (-3 * random()) / count;
  return Array.from({ length: count }, (_, i) => {
    if (kind === 0) return i < strong ? 1 + random() : noise * random();
    if (kind === 1) return decay ** i;
    if (kind === 2) return 1 + Math.floor(i / 3);
    if (kind === 3) return 1 + tiny * i;
    // Squares lose the digits of the small ones.
    if (kind === 4) return i < strong ? 1 + random() : 1e-3 * (1 + i);
    return i < count / 2 ? 1 + random() : 0;
  }).sort((a, b) => b - a);
}

/** Leading vectors, each moved by `spoil`. */
async function leading(
  linalg: Linalg,
  { U, sigma, Vt }: { readonly U: Matrix; readonly sigma: Float64Array; readonly Vt: Matrix },
  count: number,
  spoil: number,
  random: () => number,
): Promise<TopVectors> {
  const moved = async (vectors: Matrix) => {
    const { columns, data } = vectors;
    const rough = matrix(
      count,
      columns,
      (i, j) => at(data, i * columns + j) + spoil * (random() - 0.5),
    );
    return transposedCopy((await linalg.qr(transposedCopy(rough))).Q);
  };
  return {
    sigma: sigma.slice(0, count),
    left: await moved(transposedCopy(U)),
    right: await moved(Vt),
    residuals: new Float64Array(count),
    gaps: new Float64Array(count),
    gapFrom: Array.from({ length: count }, () => "ritz" as const),
  };
}

function scaledProduct({ B, A, scale }: Factors): Matrix {
  const wide = ({ rows, columns, data }: Factors["A"]): Matrix => ({
    ...{ rows, columns },
    data: Float64Array.from(data),
  });
  const product = times(wide(B), wide(A));
  return { ...product, data: product.data.map((value) => value * scale) };
}
