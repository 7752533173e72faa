/** @file Gaps between singular values that are known for sure: one count of the eigenvalues above a number. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { product, type Tools } from "./products.ts";
import { firstRows, type TopVectors } from "./top-vectors.ts";

/** A number t with exactly the first p Ritz values above it. */
interface Cut {
  readonly p: number;
  readonly t: number;
}

/** So many numbers are tried, the lowest first. */
const tries = 3;

/**
 * `top` with gaps that hang on no luck of a random start: exactly the first p singular values lie above
 * t, so nothing was missed between them. t² I − G + X D Xᵀ is positive definite, with X [n, p] and D ≥ 0
 * (by Cholesky: Sylvester's count of an LDLᵀ with no negative pivot), so G has at most p eigenvalues
 * of t² or more (Weyl); and each of p disjoint intervals σ² ± σ r holds one. Vectors from the p-th on, or
 * all where no t can be proved, get a gap of 0.
 * `gram` [n, n] is G of the smaller side, `size` ‖W₀‖_F, `long` max(out, in).
 */
export async function knownGaps(
  tools: Tools,
  gram: Matrix,
  top: TopVectors,
  size: number,
  long: number,
): Promise<TopVectors> {
  const none = { ...top, gaps: top.gaps.map(() => 0), gapFrom: "inertia" } as const;
  for (const cut of cutsOf(top).slice(0, tries)) {
    const square = await provenAbove(tools, gram, top, cut, size, long);
    if (square !== undefined) return { ...none, gaps: gapsAbove(top, cut.p, Math.sqrt(square)) };
  }
  return none;
}

/** Between one Ritz value and the next, residuals taken off, where that leaves room; the lowest first. */
function cutsOf({ sigma, residuals, gaps }: TopVectors): readonly Cut[] {
  const cuts: Cut[] = [];
  const least = 1e-4 * (sigma[0] ?? 0);
  for (let p = 1; p <= sigma.length; p++) {
    const i = p - 1;
    // Intervals above must be disjoint, for each to hold a value of its own.
    if (i > 0 && at(sigma, i - 1) - 2 * at(residuals, i - 1) <= at(sigma, i) + 2 * at(residuals, i))
      break;
    const high = at(sigma, i) - 2 * at(residuals, i);
    const low = p < sigma.length ? at(sigma, p) + at(residuals, p) : at(sigma, i) - at(gaps, i);
    if (high - low > least) cuts.push({ p, t: low + (high - low) / 4 });
  }
  return cuts.reverse();
}

/** A number that at most p eigenvalues of G reach, a little above t²; undefined where t² is not proved. */
async function provenAbove(
  tools: Tools,
  gram: Matrix,
  top: TopVectors,
  { p, t }: Cut,
  size: number,
  long: number,
): Promise<number | undefined> {
  const n = gram.rows;
  const square = t * t;
  // Rows on the smaller side, which is that of the left vectors for out ≤ in.
  const rows = firstRows(top.left.columns === n ? top.left : top.right, p);
  const weighted = {
    ...rows,
    data: rows.data.map((x, i) => x * (at(top.sigma, Math.floor(i / n)) ** 2 - square / 2)),
  };
  const S = await product(tools, transposedCopy(rows), weighted);
  let trace = 0;
  for (let i = 0; i < n * n; i++) S.data[i] = at(S.data, i) - at(gram.data, i);
  for (let i = 0; i < n; i++) trace += S.data[i * n + i] = at(S.data, i * n + i) + square;
  // Of G's elements, of X D Xᵀ, and of the factorisation: n 2⁻⁵³ ‖L‖²_F, and ‖L‖²_F is the trace.
  const rounding = 2 ** -53 * (2 * (long + p) * size ** 2 + 2 * (n + 2) * Math.max(0, trace));
  const factor = await tools.linalg.cholesky(S);
  return factor.kind === "factor" && rounding < 1e-6 * square ? square + rounding : undefined;
}

function gapsAbove({ sigma, residuals, gaps }: TopVectors, p: number, t: number): Float64Array {
  return gaps.map((_, i) => {
    if (i >= p) return 0;
    const own = at(sigma, i);
    const above = i > 0 ? at(sigma, i - 1) - 2 * at(residuals, i - 1) - own : Infinity;
    const below = own - (i + 1 < p ? at(sigma, i + 1) + 2 * at(residuals, i + 1) : t);
    return Math.max(0, Math.min(above, below, own));
  });
}
