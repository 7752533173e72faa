/** @file The Marchenko–Pastur law of a random matrix beside a spectrum: the bulk, its edge, and what lies beyond. */
import { at } from "../../shared/errors.ts";
import { leastValues } from "./power-law.ts";
import type {
  MarchenkoPasturRecord,
  PowerLawRecord,
  Refused,
} from "../../shared/spectra-records.ts";
import { sum } from "../../shared/sums.ts";

/** 99 % quantile of the Tracy–Widom distribution of β = 1 (Bejan 2005, table). */
const tracyWidom99 = 2.0234;

/** A larger distance than this is no fit. */
const worstFit = 0.1;

/**
 * Of λ = σ² of an out × in matrix. Entries' variance by the median rule, median(λ) = s² N μ(q), with N the
 * larger side, q = smaller / larger and μ the law's median; `weightwatcher` takes the mean of λ
 * instead, as an untouched random matrix would have it. Spikes lie beyond
 * s² ((√N + √M)² + (√N + √M)(1/√N + 1/√M)^⅓ · 2.02), the edge at Tracy and Widom's 99 %.
 */
export function marchenkoPastur(
  lambdas: readonly number[],
  [out, columns]: readonly [number, number],
  powerLaw: PowerLawRecord | Refused,
  rule: "median" | "weightwatcher" = "median",
): MarchenkoPasturRecord | Refused {
  const values = Float64Array.from(lambdas.filter((value) => value > 0)).sort();
  const n = values.length;
  if (n < leastValues)
    return { refused: `Marchenko–Pastur needs ${leastValues} non-zero values; there are ${n}` };
  const [M, N] = [Math.min(out, columns), Math.max(out, columns)];
  if (n < M) return { refused: "Marchenko–Pastur needs full rank; the matrix has zero values" };
  const q = M / N;
  const law = bulk(q);
  const middle = (at(values, (n - 1) >> 1) + at(values, n >> 1)) / 2;
  const variance = rule === "median" ? middle / (N * law.median) : sum(values) / (n * N);
  const unit = variance * N;
  const upper = unit * (1 + Math.sqrt(q)) ** 2;
  const roots = Math.sqrt(N) + Math.sqrt(M);
  const width = variance * roots * Math.cbrt(1 / Math.sqrt(N) + 1 / Math.sqrt(M));
  const spikeEdge = upper + tracyWidom99 * width;
  const inside = values.filter((value) => value <= spikeEdge);
  let D = 0;
  for (const [i, value] of inside.entries()) {
    const expected = law.share(value / unit);
    D = Math.max(
      D,
      Math.abs(expected - i / inside.length),
      Math.abs(expected - (i + 1) / inside.length),
    );
  }
  const heavy = "alpha" in powerLaw && powerLaw.alpha < 6 && powerLaw.nTail > n / 4;
  return {
    sigmaMp: Math.sqrt(variance),
    rule,
    lower: unit * (1 - Math.sqrt(q)) ** 2,
    upper,
    spikeEdge,
    tracyWidomLevel: 0.99,
    spikes: n - inside.length,
    D,
    overlay: D <= worstFit && !heavy,
  };
}

/** The law of eigenvalues of X Xᵀ / N, X [M, N] of unit variance: its distribution by the trapezoid rule in an angle that smooths both edges. */
function bulk(q: number): { readonly median: number; share(x: number): number } {
  const [a, b] = [(1 - Math.sqrt(q)) ** 2, (1 + Math.sqrt(q)) ** 2];
  const count = 2000;
  const xs = new Float64Array(count + 1);
  const sums = new Float64Array(count + 1);
  const half = (b - a) / 2;
  // x = a + half (1 − cos φ); f(x) dx = half² sin² φ / (2 π q x) dφ.
  const density = (phi: number) => {
    const x = a + half * (1 - Math.cos(phi));
    return x <= 0 ? half / (Math.PI * q) : (half * Math.sin(phi)) ** 2 / (2 * Math.PI * q * x);
  };
  for (let i = 0; i <= count; i++) {
    const phi = (Math.PI * i) / count;
    xs[i] = a + half * (1 - Math.cos(phi));
    if (i > 0)
      sums[i] =
        at(sums, i - 1) +
        ((density((Math.PI * (i - 1)) / count) + density(phi)) * Math.PI) / (2 * count);
  }
  const total = at(sums, count);
  const share = (x: number) => {
    if (x <= a) return 0;
    if (x >= b) return 1;
    const phi = (Math.acos(1 - (x - a) / half) * count) / Math.PI;
    const i = Math.min(count - 1, Math.floor(phi));
    return (at(sums, i) + (phi - i) * (at(sums, i + 1) - at(sums, i))) / total;
  };
  let i = 0;
  while (at(sums, i + 1) < total / 2) i += 1;
  const within = (total / 2 - at(sums, i)) / (at(sums, i + 1) - at(sums, i));
  return { median: at(xs, i) + within * (at(xs, i + 1) - at(xs, i)), share };
}
