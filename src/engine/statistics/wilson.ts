/**
 * @file The Wilson interval of a share.
 *
 * Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927,
 * https://doi.org/10.1080/01621459.1927.10502953
 */
import { invariant } from "../../shared/errors.ts";
import type { Confidence, Interval } from "./interval.ts";
import { normalQuantile } from "./quantiles.ts";

/**
 * The interval around `successes / trials`: the shares p that lie within z standard errors √(p (1 − p) / n) of
 * it. Unlike the plain interval it stays inside [0, 1] and is no point at shares of 0 and 1.
 */
export function wilsonInterval(
  successes: number,
  trials: number,
  confidence: Confidence,
): Interval {
  invariant(successes >= 0 && successes <= trials, `${successes} of ${trials}`);
  if (trials === 0) return { low: 0, high: 1 };
  const z = normalQuantile(0.5 + confidence / 2);
  const square = (z * z) / trials;
  const share = successes / trials;
  const middle = (share + square / 2) / (1 + square);
  const half = Math.sqrt(share * (1 - share) * square + (square * square) / 4) / (1 + square);
  // At the ends the formula is exact, and rounding is not.
  const low = successes === 0 ? 0 : middle - half;
  const high = successes === trials ? 1 : middle + half;
  return { low, high };
}
