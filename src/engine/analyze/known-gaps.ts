/** @file Gaps between singular values that are known for sure: one count of the eigenvalues above a number. */
import { at } from "../../shared/errors.ts";
import type { TopVectors } from "./top-vectors.ts";

/** A number t with exactly the first p Ritz values above it, as far as those tell. */
export interface Cut {
  readonly p: number;
  readonly t: number;
  /** The lower end of the interval around the p-th. */
  readonly low: number;
}

/** A square that at most p eigenvalues of the Gram matrix reach, a little above t²; undefined where it is not proved. */
export type Proves = (cut: Cut) => Promise<number | undefined>;

/** Where numbers t are looked for. */
export interface Where {
  /** At these a count is at hand; they serve where `least` of the vectors at least lie above. */
  readonly known?: readonly number[];
  readonly least?: number;
  /** Singular values of another matrix, which is to be counted at the same t. */
  readonly avoid?: ArrayLike<number>;
}

/** So many numbers are tried, the lowest first. */
const tries = 4;

/**
 * `top` with gaps that hang on no luck of a random start: at most the first p singular values lie above t, and as
 * many of the intervals around the first p Ritz values hold one each (a cluster of m, whose vectors are orthonormal,
 * m: Kahan's theorem), so nothing was missed between them. Vectors from the p-th on, or all where no t can be
 * proved, get a gap of 0, and so does each of a cluster.
 */
export async function knownGaps(
  top: TopVectors,
  proves: Proves,
  where: Where = {},
): Promise<TopVectors> {
  const groups = groupsOf(top);
  const gapFrom = top.gapFrom.map(() => "inertia" as const);
  for (const cut of cutsOf(top, groups, where).slice(0, tries)) {
    const square = await proves(cut);
    // Above t, and not above the intervals that are to hold the first p.
    if (square === undefined || Math.sqrt(square) >= cut.low) continue;
    return { ...top, gaps: gapsAbove(top, groups, cut.p, Math.sqrt(square)), gapFrom };
  }
  return { ...top, gaps: top.gaps.map(() => 0), gapFrom };
}

/** The same, and the gap of Ritz values where a count proves none: γ of a vector whose verdict then is no proof. */
export async function provedOrLikely(
  top: TopVectors,
  proves: Proves,
  where: Where = {},
): Promise<TopVectors> {
  const known = await knownGaps(top, proves, where);
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

/** Between one group and the next, where that leaves room; first where a count is at hand already, then the highest that serves, then the lowest. */
function cutsOf(
  { sigma, gaps }: TopVectors,
  groups: readonly Group[],
  { known = [], least = 0, avoid = [] }: Where,
): readonly Cut[] {
  const smallest = 1e-5 * at(sigma, 0);
  const gapsBetween = groups.flatMap(({ end, low }, i) => {
    // Below the last the next Ritz value is known by its distance alone.
    const below = groups[i + 1]?.high ?? at(sigma, end - 1) - at(gaps, end - 1);
    return low - below > smallest ? [{ p: end, below, low }] : [];
  });
  const cuts = gapsBetween.map(({ p, below, low }) => ({ p, low, t: between(below, low, avoid) }));
  const atHand = gapsBetween.flatMap(({ p, below, low }) => {
    const t = p < least ? undefined : known.find((one) => below < one && one < low - smallest / 4);
    return t === undefined ? [] : [{ p, low, t }];
  });
  // A count is the easier the higher t is: with a `least` the first that serves.
  const serving = least > 0 ? cuts.filter(({ p }) => p >= least) : [];
  return [...atHand.toReversed(), ...serving, ...cuts.toReversed()];
}

/** Low in the widest part of a gap that has no value of `avoid` in it. */
function between(below: number, low: number, avoid: ArrayLike<number>): number {
  const inside = Array.from(avoid).filter((value) => below < value && value < low);
  const ends = [below, ...inside.sort((a, b) => a - b), low];
  const widths = ends.slice(1).map((end, i) => end - at(ends, i));
  const widest = widths.indexOf(Math.max(...widths));
  return at(ends, widest) + at(widths, widest) / 4;
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
