/** @file What is asked about a matrix, and what is found of each of its vectors. */
import { at } from "../../shared/errors.ts";
import type { Proof, Verdict } from "../../shared/intruder-records.ts";
import type { TopVectors } from "./top-vectors.ts";

export interface IntruderOptions {
  /** An intruder's largest cosine is below this. Certificates serve from 0.35 on; below, every vector goes to the exact stage. */
  readonly epsilon: number;
  /** How many of W's left vectors: a number, or a share of min(out, in), rounded up. */
  readonly k: number | { readonly share: number };
  readonly reference: "base" | "official-fp16";
  /** Cosines of all vectors from the SVD of W₀, instead of verdicts. */
  readonly exact: boolean;
  /** Whether vectors without a verdict may cost an SVD of W₀. */
  readonly fallback: boolean;
  /** Up to so many rows or columns W₀'s Gram matrix is formed, which costs less than the passes over the matrix that it saves. */
  readonly formBelow: number;
  /** Up to so many it is formed where nothing else proves a gap; those of more take gigabytes. */
  readonly countBelow: number;
  /** Lanczos steps before a vector is given up. */
  readonly steps: number;
  /** Singular values nearer than this share of σ₁ are one cluster: float32 cannot part their vectors. */
  readonly cluster: number;
  readonly seed: number;
  /** Up to so many rows or columns an exact SVD costs less than a Krylov space. */
  readonly exactBelow: number;
}

export const intruderDefaults: IntruderOptions = {
  epsilon: 0.5,
  k: 10,
  reference: "base",
  exact: false,
  fallback: true,
  formBelow: 2304,
  countBelow: 12288,
  steps: 80,
  cluster: 1e-5,
  seed: 0,
  exactBelow: 160,
};

/** What is known of one vector on the way to its record. */
export interface Finding {
  readonly lower: number;
  readonly upper: number;
  readonly by: Verdict;
  readonly intruder: boolean | undefined;
  readonly official?: number | undefined;
  readonly proof: Proof;
}

/** √2 r / γ: how far the computed y may be from W's own; with no gap to its neighbours, y is one basis of many. */
export function vectorError(tuned: TopVectors, j: number, cluster: number): number {
  const gap = at(tuned.gaps, j);
  if (gap <= cluster * at(tuned.sigma, 0)) return 1;
  return Math.min(1, (Math.SQRT2 * at(tuned.residuals, j)) / gap);
}
