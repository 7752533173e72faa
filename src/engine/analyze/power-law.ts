/** @file A power law fitted to the tail of a spectrum, as WeightWatcher and Clauset, Shalizi and Newman (2009) fit it. */
import { at } from "../../shared/errors.ts";
import type { PowerLawRecord, Refused } from "../../shared/spectra-records.ts";
import { sum } from "../../shared/sums.ts";

/** Fewer non-zero values than this say nothing about a tail. */
export const leastValues = 50;

/**
 * p(λ) ∝ λ^−α above xmin by maximum likelihood, α = 1 + n / Σ ln(λ / xmin), xmin among the values where
 * the Kolmogorov–Smirnov distance is smallest (as the Python package powerlaw does, whose empirical
 * distribution counts i / n at the i-th value from 0). λ = σ², in any order; zeros are left out.
 */
export function fitPowerLaw(lambdas: readonly number[]): PowerLawRecord | Refused {
  const values = Float64Array.from(lambdas.filter((value) => value > 0)).sort();
  const n = values.length;
  if (n < leastValues)
    return { refused: `a power law needs ${leastValues} non-zero values; there are ${n}` };
  const logs = values.map(Math.log);
  const sums = new Float64Array(n + 1);
  for (let i = n - 1; i >= 0; i--) sums[i] = at(sums, i + 1) + at(logs, i);
  let best = { D: Infinity, alpha: NaN, from: 0 };
  for (let from = 0; from < n - 1; from++) {
    if (from > 0 && at(values, from) === at(values, from - 1)) continue;
    const tail = n - from;
    const total = at(sums, from) - tail * at(logs, from);
    if (!(total > 0)) continue;
    const alpha = 1 + tail / total;
    let D = 0;
    for (let i = from; i < n; i++) {
      const law = 1 - Math.exp((1 - alpha) * (at(logs, i) - at(logs, from)));
      D = Math.max(D, Math.abs(law - (i - from) / tail));
      if (D >= best.D) break;
    }
    if (D < best.D) best = { D, alpha, from };
  }
  if (!Number.isFinite(best.alpha))
    return { refused: "all values are equal: there is no tail to fit" };
  const { alpha, D, from } = best;
  const tail = logs.slice(from);
  const ratio = overLogNormal(tail, alpha);
  return {
    alpha,
    xmin: at(values, from),
    nTail: n - from,
    sigmaAlpha: (alpha - 1) / Math.sqrt(n - from),
    D,
    logNormalRatio: ratio.ratio,
    logNormalP: ratio.p,
    alphaWeighted: alpha * Math.log10(at(values, n - 1)),
    warning: alpha < 2 ? "over-trained" : alpha > 6 ? "under-trained" : "",
  };
}

/**
 * Vuong's test: R = Σ (ln p_power − ln p_lognormal), p two-sided of R / (s √n). The log-normal is cut at
 * xmin too, its μ and s fitted by maximum likelihood (Nelder and Mead's simplex from the moments).
 */
function overLogNormal(
  logs: Float64Array,
  alpha: number,
): { readonly ratio: number; readonly p: number } {
  const n = logs.length;
  const start = at(logs, 0);
  const mean = sum(logs) / n;
  const spread = Math.sqrt(logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n) || 1;
  const likelihood = ([mu, logS]: readonly [number, number]) => {
    const s = Math.exp(logS);
    const inside = logUpperTail((start - mu) / s);
    let sum = 0;
    for (const value of logs) sum += -0.5 * ((value - mu) / s) ** 2;
    return sum - n * (logS + 0.5 * Math.log(2 * Math.PI) + inside);
  };
  const [mu, logS] = maximise(likelihood, [mean, Math.log(spread)]);
  const s = Math.exp(logS);
  const inside = logUpperTail((start - mu) / s);
  const differences = logs.map(
    (value) =>
      Math.log(alpha - 1) -
      (alpha - 1) * (value - start) +
      0.5 * ((value - mu) / s) ** 2 +
      logS +
      0.5 * Math.log(2 * Math.PI) +
      inside,
  );
  const ratio = sum(differences);
  const variance = differences.reduce((sum, value) => sum + (value - ratio / n) ** 2, 0) / n;
  const p =
    variance === 0 ? 1 : 2 * Math.exp(logUpperTail(Math.abs(ratio) / Math.sqrt(n * variance)));
  return { ratio, p: Math.min(1, p) };
}

/** ln of the standard normal distribution's upper tail; by its continued fraction far out. */
function logUpperTail(x: number): number {
  if (x > 5) {
    let fraction = x;
    for (let k = 40; k >= 1; k--) fraction = x + k / fraction;
    return -0.5 * x * x - 0.5 * Math.log(2 * Math.PI) - Math.log(fraction);
  }
  return Math.log(0.5 * complementaryError(x / Math.SQRT2));
}

/** erfc by its series near 0 and its continued fraction further out. */
function complementaryError(x: number): number {
  if (Math.abs(x) < 3) {
    let [term, sum] = [x, x];
    for (let k = 1; k < 100 && Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
      term *= (-x * x) / k;
      sum += term / (2 * k + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  if (x < 0) return 2 - complementaryError(-x);
  let fraction = x;
  for (let k = 60; k >= 1; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

type Point = readonly [number, number];

function maximise(f: (p: Point) => number, from: Point): Point {
  let simplex: (readonly [Point, number])[] = [
    from,
    [from[0] + 0.5, from[1]] as const,
    [from[0], from[1] + 0.5] as const,
  ].map((p): readonly [Point, number] => [p, f(p)]);
  for (let round = 0; round < 300; round++) {
    simplex = simplex.toSorted((a, b) => b[1] - a[1]);
    const [best, middle, worst] = [at(simplex, 0), at(simplex, 1), at(simplex, 2)];
    if (Math.abs(best[1] - worst[1]) <= 1e-12 * (1 + Math.abs(best[1]))) break;
    const center: Point = [(best[0][0] + middle[0][0]) / 2, (best[0][1] + middle[0][1]) / 2];
    const along = (t: number): readonly [Point, number] => {
      const p: Point = [
        center[0] + t * (worst[0][0] - center[0]),
        center[1] + t * (worst[0][1] - center[1]),
      ];
      return [p, f(p)];
    };
    const reflected = along(-1);
    if (reflected[1] > best[1]) {
      const further = along(-2);
      simplex = [best, middle, further[1] > reflected[1] ? further : reflected];
    } else if (reflected[1] > middle[1]) simplex = [best, middle, reflected];
    else {
      const nearer = along(0.5);
      const half = ([p]: readonly [Point, number]): readonly [Point, number] => {
        const q: Point = [(p[0] + best[0][0]) / 2, (p[1] + best[0][1]) / 2];
        return [q, f(q)];
      };
      simplex = nearer[1] > worst[1] ? [best, middle, nearer] : [best, half(middle), half(worst)];
    }
  }
  return at(
    simplex.toSorted((a, b) => b[1] - a[1]),
    0,
  )[0];
}
