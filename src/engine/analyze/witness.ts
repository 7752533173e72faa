/** @file What the top left vectors of W₀ tell of a tuned vector: witnesses that it is no intruder, and Bessel's bound. */
import { at } from "../../shared/errors.ts";
import { dot } from "./lockstep-lanczos.ts";
import { rowOf, type TopVectors } from "./top-vectors.ts";

export interface WitnessView {
  /** The best lower bound of |⟨y, u₀ᵢ⟩|, where a gap is known. */
  readonly lower: number;
  readonly base: number;
  readonly overlap: number;
  /** |⟨y, x_i⟩| of each, and its error √2 r_i / g_i (∞ without a gap). */
  readonly overlaps: Float64Array;
  readonly errors: Float64Array;
  /** Largest |c_i| of i < K, and of i ≥ K by Bessel: c_i² ≤ 1 − Σ_{i<K} c_i². */
  readonly upper: number;
  readonly rest: number;
  /** Clusters of base values that reach ε together and not surely one by one. */
  readonly clusterLower: number;
  /** Whether no bound stands on Ritz values alone. */
  readonly isKnown: boolean;
}

/** |c_i| ≥ |⟨y, x_i⟩| − √2 r_i / g_i, and ≤ with a plus. `cluster`: values within this share of σ₁ are one. */
export function witnessOf(y: Float64Array, top: TopVectors, cluster: number): WitnessView {
  const count = top.sigma.length;
  const overlaps = new Float64Array(count);
  const errors = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    overlaps[i] = Math.abs(dot(y, rowOf(top.left, i)));
    const gap = at(top.gaps, i);
    errors[i] = gap > 0 ? (Math.SQRT2 * at(top.residuals, i)) / gap : Infinity;
  }
  let [lower, base, overlap, upper, captured, clusterLower] = [0, 0, 0, 0, 0, 0];
  const sigma1 = top.sigma[0] ?? 0;
  for (let first = 0; first < count;) {
    let end = first + 1;
    while (end < count && at(top.sigma, end - 1) - at(top.sigma, end) <= cluster * sigma1) end += 1;
    if (end === first + 1) {
      const [c, error] = [at(overlaps, first), at(errors, first)];
      if (c - error > lower) [lower, base, overlap] = [c - error, first, c];
      upper = Math.max(upper, Math.min(1, c + error));
      captured += Math.max(0, c - error) ** 2;
    } else {
      let [mass, residual] = [0, 0];
      for (let i = first; i < end; i++) {
        mass += at(overlaps, i) ** 2;
        residual = Math.hypot(residual, at(top.residuals, i));
      }
      const above = first > 0 ? at(top.sigma, first - 1) - at(top.sigma, first) : Infinity;
      const below = end < count ? at(top.sigma, end - 1) - at(top.sigma, end) : 0;
      // A count that stopped before the cluster tells nothing of what else lies near it.
      const counted = at(top.gapFrom, end - 1) !== "inertia" || at(top.gaps, end - 1) > 0;
      const gap = counted ? Math.min(above, below) : 0;
      const error = gap > 0 ? (Math.SQRT2 * residual) / gap : Infinity;
      const pi = Math.sqrt(mass);
      clusterLower = Math.max(clusterLower, (pi - error) / Math.sqrt(end - first));
      upper = Math.max(upper, Math.min(1, pi + error));
      captured += Math.max(0, pi - error) ** 2;
    }
    first = end;
  }
  const rest = Math.sqrt(Math.max(0, 1 - captured + 1e-12));
  const isKnown = !top.gapFrom.includes("ritz");
  return { lower, base, overlap, overlaps, errors, upper, rest, clusterLower, isKnown };
}

/** The last of W₀'s vectors that some tuned one has a cosine of ε or more with; −1 where none has. */
export function lastWitness(tuned: TopVectors, top: TopVectors, epsilon: number): number {
  let last = -1;
  for (let j = 0; j < tuned.sigma.length; j++) {
    const y = rowOf(tuned.left, j);
    for (let i = last + 1; i < top.sigma.length; i++)
      if (Math.abs(dot(y, rowOf(top.left, i))) >= epsilon) last = i;
  }
  return last;
}
