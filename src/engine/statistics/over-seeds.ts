/** @file Means over seeds, with Student's t intervals; differences of runs that share their seeds. */
import { invariant } from "../../shared/errors.ts";
import { mean as meanOf, sum } from "../../shared/sums.ts";
import type { Confidence, Interval } from "./interval.ts";
import { studentTQuantile, studentTTail } from "./quantiles.ts";

/** A mean of few values. One value alone has no spread and no interval. */
export interface MeanOfSeeds {
  readonly count: number;
  readonly mean: number;
  /** Standard deviation of a value (n − 1 in the denominator). */
  readonly deviation?: number;
  readonly interval?: Interval;
}

/** Mean ± t · s / √n over at least one value, n − 1 degrees of freedom. */
export function meanOfSeeds(values: readonly number[], confidence: Confidence): MeanOfSeeds {
  const count = values.length;
  invariant(count > 0, "a mean of nothing");
  const mean = meanOf(values);
  if (count === 1) return { count, mean };
  const deviation = Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / (count - 1));
  const half = studentTQuantile(0.5 + confidence / 2, count - 1) * (deviation / Math.sqrt(count));
  return { count, mean, deviation, interval: { low: mean - half, high: mean + half } };
}

/** The mean of differences, and how likely one as large is where there is none. */
export interface PairedDifference extends MeanOfSeeds {
  readonly seeds: readonly number[];
  /** Of the two-sided paired t test; absent for one pair, and where all differences are equal. */
  readonly pValue?: number;
}

/** `values − reference`, seed by seed, over the seeds that both have; `undefined` where they share none. */
export function pairedDifference(
  values: ReadonlyMap<number, number>,
  reference: ReadonlyMap<number, number>,
  confidence: Confidence,
): PairedDifference | undefined {
  const pairs = [...values].flatMap(([seed, value]) => {
    const other = reference.get(seed);
    return other === undefined ? [] : [{ seed, difference: value - other }];
  });
  if (pairs.length === 0) return undefined;
  const result = meanOfSeeds(
    pairs.map(({ difference }) => difference),
    confidence,
  );
  const seeds = pairs.map(({ seed }) => seed);
  const { count, mean, deviation = 0 } = result;
  if (!(deviation > 0)) return { ...result, seeds };
  const t = Math.abs(mean) / (deviation / Math.sqrt(count));
  return { ...result, seeds, pValue: 2 * studentTTail(t, count - 1) };
}
