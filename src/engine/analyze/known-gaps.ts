/** @file Gaps between singular values that are known for sure: one count of the eigenvalues above a number. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { product, type Tools } from "./products.ts";
import { firstRows, type TopVectors } from "./top-vectors.ts";

/** A number t with exactly the first p Ritz values above it, as far as those tell. */
export interface Cut {
  readonly p: number;
  readonly t: number;
}

/** A square that at most p eigenvalues of the Gram matrix reach, a little above t²; undefined where it is not proved. */
export type Proves = (top: TopVectors, cut: Cut) => Promise<number | undefined>;

/** So many numbers are tried, the lowest first. */
const tries = 4;

/**
 * `top` with gaps that hang on no luck of a random start: at most the first p singular values lie above t, and as
 * many of the intervals around the first p Ritz values hold one each (a cluster of m, whose vectors are orthonormal,
 * m: Kahan's theorem), so nothing was missed between them. Vectors from the p-th on, or all where no t can be
 * proved, get a gap of 0, and so does each of a cluster.
 */
export async function knownGaps(top: TopVectors, proves: Proves): Promise<TopVectors> {
  const groups = groupsOf(top);
  const gapFrom = top.gapFrom.map(() => "inertia" as const);
  for (const cut of cutsOf(top, groups).slice(0, tries)) {
    const square = await proves(top, cut);
    if (square === undefined) continue;
    return { ...top, gaps: gapsAbove(top, groups, cut.p, Math.sqrt(square)), gapFrom };
  }
  return { ...top, gaps: top.gaps.map(() => 0), gapFrom };
}

/** The same, and the gap of Ritz values where a count proves none: γ of a vector whose verdict then is no proof. */
export async function provedOrLikely(top: TopVectors, proves: Proves): Promise<TopVectors> {
  const known = await knownGaps(top, proves);
  const isKnown = (i: number) => at(known.gaps, i) > 0;
  return {
    ...top,
    gaps: top.gaps.map((gap, i) => (isKnown(i) ? at(known.gaps, i) : gap)),
    gapFrom: top.gapFrom.map((from, i) => (isKnown(i) ? "inertia" : from)),
  };
}

/** Ritz values [first, end) whose intervals [low, high] overlap; the intervals of two groups do not. */
interface Group {
  readonly first: number;
  readonly end: number;
  readonly low: number;
  readonly high: number;
}

function groupsOf({ sigma, residuals }: TopVectors): readonly Group[] {
  const groups: Group[] = [];
  const joined = (first: number, end: number): Group => {
    let square = 0;
    for (let i = first; i < end; i++) square += at(residuals, i) ** 2;
    const error = 2 * Math.sqrt(square);
    return { first, end, low: at(sigma, end - 1) - error, high: at(sigma, first) + error };
  };
  for (let i = 0; i < sigma.length; i++) {
    let group = joined(i, i + 1);
    for (let last = groups.at(-1); last && last.low <= group.high; last = groups.at(-1)) {
      groups.pop();
      group = joined(last.first, group.end);
    }
    groups.push(group);
  }
  return groups;
}

/** Between one group and the next, where that leaves room; the lowest first. */
function cutsOf({ sigma, gaps }: TopVectors, groups: readonly Group[]): readonly Cut[] {
  const least = 1e-5 * at(sigma, 0);
  const cuts = groups.flatMap(({ end, low }, i) => {
    // Below the last the next Ritz value is known by its distance alone.
    const below = groups[i + 1]?.high ?? at(sigma, end - 1) - at(gaps, end - 1);
    return low - below > least ? [{ p: end, t: below + (low - below) / 4 }] : [];
  });
  return cuts.toReversed();
}

function gapsAbove(
  { sigma }: TopVectors,
  groups: readonly Group[],
  p: number,
  t: number,
): Float64Array {
  const gaps = new Float64Array(sigma.length);
  for (const [place, { first, end }] of groups.entries()) {
    if (first >= p || end > first + 1) continue;
    const own = at(sigma, first);
    const above = (groups[place - 1]?.low ?? Infinity) - own;
    const below = own - (end < p ? (groups[place + 1]?.high ?? t) : t);
    // Zero is an eigenvalue too of what has the singular values, where a matrix is not square.
    gaps[first] = Math.max(0, Math.min(above, below, own));
  }
  return gaps;
}

/**
 * t² I − G + X D Xᵀ is positive definite, with X [n, p] and D ≥ 0 (by Cholesky: Sylvester's count of an LDLᵀ with
 * no negative pivot), so G has at most p eigenvalues of t² or more (Weyl).
 * `gram` [n, n] is G of the smaller side of a matrix A; `size` ‖A‖_F, `long` max(out, in), and `error` what the
 * elements of G are off by beyond the rounding of its products (in the Frobenius norm).
 */
export function provesByCholesky(
  tools: Tools,
  gram: Matrix,
  {
    size,
    long,
    error = 0,
  }: { readonly size: number; readonly long: number; readonly error?: number },
): Proves {
  return async (top, { p, t }) => {
    const n = gram.rows;
    const square = t * t;
    // Rows on the smaller side, which is that of the left vectors for out ≤ in.
    const rows = firstRows(top.left.columns === n ? top.left : top.right, p);
    const weighted = {
      ...rows,
      data: rows.data.map((x, i) => x * (at(top.sigma, Math.floor(i / n)) ** 2 - square / 2)),
    };
    const S = await product(tools, transposedCopy(rows), weighted);
    for (let i = 0; i < n * n; i++) S.data[i] = (S.data[i] ?? NaN) - (gram.data[i] ?? NaN);
    let trace = 0;
    for (let i = 0; i < n; i++) trace += S.data[i * n + i] = at(S.data, i * n + i) + square;
    // Of G's elements, of X D Xᵀ, and of the factorisation: n 2⁻⁵³ ‖L‖²_F, and ‖L‖²_F is the trace.
    const rounding =
      error + 2 ** -53 * (2 * (long + p) * size ** 2 + 2 * (n + 2) * Math.max(0, trace));
    if (!(rounding < 1e-6 * square)) return undefined;
    return (await tools.linalg.isPositiveDefinite(S)) ? square + rounding : undefined;
  };
}
