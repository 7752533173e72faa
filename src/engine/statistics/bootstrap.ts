/**
 * @file The paired bootstrap: how far a difference of two means over the same examples is a matter of which
 * examples there are.
 *
 * Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile intervals).
 */
import { at, invariant } from "../../shared/errors.ts";
import { philox4x32 } from "../data/batches/philox.ts";
import type { Confidence, Interval } from "./interval.ts";

export interface BootstrapOptions {
  readonly confidence: Confidence;
  /** The same seed gives the same interval. */
  readonly seed: number;
  /** How many times the examples are drawn anew. */
  readonly resamples: number;
}

export interface BootstrapDifference {
  readonly examples: number;
  readonly mean: number;
  readonly interval: Interval;
}

/** The mean of `scores − reference`, element by element over the same examples, at least one. */
export function pairedBootstrap(
  scores: ArrayLike<number>,
  reference: ArrayLike<number>,
  { confidence, seed, resamples }: BootstrapOptions,
): BootstrapDifference {
  const count = scores.length;
  invariant(count > 0 && count === reference.length, `scores of ${count} and ${reference.length}`);
  invariant(resamples > 0, "at least one resample");
  const differences = Float64Array.from(
    { length: count },
    (_, index) => at(scores, index) - at(reference, index),
  );
  const mean = sum(differences) / count;
  const means = Float64Array.from({ length: resamples }, (_, resample) =>
    resampledMean(differences, seed, resample),
  );
  means.sort();
  const tail = (1 - confidence) / 2;
  const interval = { low: quantileOf(means, tail), high: quantileOf(means, 1 - tail) };
  return { examples: count, mean, interval };
}

/** The mean of as many draws as there are values, each with its own counter: no draw depends on another. */
function resampledMean(values: Float64Array, seed: number, resample: number): number {
  const count = values.length;
  let total = 0;
  for (let draw = 0; draw < count; draw += 4) {
    const words = philox4x32([draw / 4, resample, 0, 0], [seed, 0]);
    const last = Math.min(4, count - draw);
    // A word times the count, over 2³²: biased by less than count / 2³².
    for (let lane = 0; lane < last; lane += 1)
      total += at(values, Math.floor((at(words, lane) / 2 ** 32) * count));
  }
  return total / count;
}

/** Linear between the two nearest of sorted values, as numpy's default. */
function quantileOf(sorted: Float64Array, p: number): number {
  const place = p * (sorted.length - 1);
  const below = Math.floor(place);
  const low = at(sorted, below);
  const high = at(sorted, Math.min(below + 1, sorted.length - 1));
  return low + (high - low) * (place - below);
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
