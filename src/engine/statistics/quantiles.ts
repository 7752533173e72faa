/** @file Quantiles of the normal and of Student's t distribution, to the last digits of a double. */
import { invariant } from "../../shared/errors.ts";

/** x with P(X ≤ x) = p, X standard normal; p inside (0, 1). */
export function normalQuantile(p: number): number {
  return quantile(p, normalTail);
}

/** t with P(T ≤ t) = p, T of Student's distribution with `degrees` > 0 degrees of freedom; p inside (0, 1). */
export function studentTQuantile(p: number, degrees: number): number {
  invariant(degrees > 0, `${degrees} degrees of freedom`);
  return quantile(p, (t) => studentTTail(t, degrees));
}

/** P(T > t) for t ≥ 0: ½ I_x(degrees/2, ½) at x = degrees / (degrees + t²). */
export function studentTTail(t: number, degrees: number): number {
  const square = t * t;
  const x = degrees / (degrees + square);
  // 1 − x by itself, so that nothing cancels where t is small.
  return 0.5 * incompleteBeta(x, square / (degrees + square), degrees / 2);
}

/**
 * P(X > x) for x ≥ 0, X standard normal: ½ − φ(x) (x + x³/3 + x⁵/15 + …) for small x, where little cancels,
 * and else φ(x) / (x + 1/(x + 2/(x + 3/(x + …)))).
 */
function normalTail(x: number): number {
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let term = x;
    let sum = x;
    for (let odd = 3; term > sum * 1e-17; odd += 2) {
      term *= (x * x) / odd;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = x;
  for (let depth = 120; depth > 0; depth -= 1) fraction = x + depth / fraction;
  return density / fraction;
}

/** The quantile of a symmetric distribution, by halving: the tail falls all along. */
function quantile(p: number, tail: (x: number) => number): number {
  invariant(p > 0 && p < 1, `a quantile at ${p}`);
  if (p === 0.5) return 0;
  const wanted = Math.min(p, 1 - p);
  let [low, high] = [0, 1];
  while (tail(high) > wanted) [low, high] = [high, 2 * high];
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return p < 0.5 ? -middle : middle;
    if (tail(middle) > wanted) low = middle;
    else high = middle;
  }
}

/** The regularised incomplete beta function I_x(a, ½); `rest` is 1 − x. */
function incompleteBeta(x: number, rest: number, a: number): number {
  if (x <= 0) return 0;
  if (rest <= 0) return 1;
  const front =
    (Math.exp(a * logOf(x, rest)) * Math.sqrt(rest) * gammaRatio(a)) / Math.sqrt(Math.PI);
  // The fraction runs fast on one side of the mean; beyond it serves I_x(a, b) = 1 − I_{1−x}(b, a).
  return x < (a + 1) / (a + 2.5)
    ? (front / a) * betaFraction(x, a, 0.5)
    : 1 - 2 * front * betaFraction(rest, 0.5, a);
}

function logOf(x: number, rest: number): number {
  return rest < 0.5 ? Math.log1p(-rest) : Math.log(x);
}

/**
 * The continued fraction 1/(1+ d₁/(1+ d₂/(1+ …))) of I_x(a, b), by Lentz's method:
 * d₂ₘ = m (b − m) x / ((a + 2m − 1)(a + 2m)), d₂ₘ₊₁ = −(a + m)(a + b + m) x / ((a + 2m)(a + 2m + 1)).
 * DLMF 8.17.22, https://dlmf.nist.gov/8.17
 */
function betaFraction(x: number, a: number, b: number): number {
  const awayFromZero = (value: number) => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let numerator = 1;
  let denominator = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let value = denominator;
  for (let m = 1; m < 10_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    denominator = 1 / awayFromZero(1 + even * denominator);
    numerator = awayFromZero(1 + even / numerator);
    value *= denominator * numerator;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / awayFromZero(1 + odd * denominator);
    numerator = awayFromZero(1 + odd / numerator);
    const factor = denominator * numerator;
    value *= factor;
    if (Math.abs(factor - 1) < 1e-15) return value;
  }
  return value;
}

/**
 * Γ(a + ½) / Γ(a): the asymptotic series for large a, and from there down by
 * Γ(a + ½)/Γ(a) = a / (a + ½) · Γ(a + 3/2)/Γ(a + 1). DLMF 5.11.13, https://dlmf.nist.gov/5.11
 */
function gammaRatio(a: number): number {
  let factor = 1;
  let large = a;
  for (; large < 40; large += 1) factor *= large / (large + 0.5);
  const inverse = 1 / large;
  const series =
    1 -
    inverse *
      (1 / 8 -
        inverse *
          (1 / 128 + inverse * (5 / 1024 - inverse * (21 / 32768 + (inverse * 399) / 262144))));
  return factor * Math.sqrt(large) * series;
}
