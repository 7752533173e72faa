/**
 * @file What scaling intruders by λ would do, from what is known already: W′ = W + (λ − 1) Σ σⱼ uⱼ vⱼᵀ has the singular
 * vectors of W, so each cosine stays, and of the spectrum only the scaled values move.
 */
import type { Matrix, Vector } from "./counts.ts";

export interface Scaling {
  /** λ, the share that stays. */
  readonly keep: number;
  readonly which: "top" | "all";
  readonly epsilon: number;
  readonly k: number;
}

export interface WhatIf {
  /** How many vectors are scaled. */
  readonly scaled: number;
  /** ‖W′ − W‖_F, exactly. */
  readonly change: number;
  /** Intruders among the first k of W′: for sure, and those that may be. */
  readonly certain: number;
  readonly open: number;
  /** Singular values by rank, as far as they are known: of W, and of W′ down to the least that was looked at. */
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** Of one matrix. Vectors below those that were looked at are known only to be no larger than the last of them. */
export function whatIf({ vectors }: Matrix, { keep, which, epsilon, k }: Scaling): WhatIf {
  const intruders = vectors.slice(0, k).filter(({ upper }) => upper < epsilon);
  const chosen = new Set<Vector>(which === "top" ? intruders.slice(0, 1) : intruders);
  const last = vectors.at(-1)?.sigma ?? 0;
  const moved = vectors.map((vector) => ({
    vector,
    sigma: chosen.has(vector) ? keep * vector.sigma : vector.sigma,
  }));
  const known = moved
    .filter(({ sigma }) => sigma >= last)
    .toSorted((a, b) => b.sigma - a.sigma)
    .slice(0, k);
  const among = (test: (vector: Vector) => boolean): number =>
    known.filter(({ vector }) => test(vector)).length;
  const certain = among(({ upper }) => upper < epsilon);
  const possible = among(({ lower }) => lower < epsilon);
  // The places that scaled vectors leave are taken by some that nobody has looked at, or by themselves.
  const unseen = Math.min(k, vectors.length) - known.length;
  const squares = [...chosen].reduce((sum, { sigma }) => sum + sigma * sigma, 0);
  return {
    scaled: chosen.size,
    change: Math.abs(keep - 1) * Math.sqrt(squares),
    certain,
    open: possible - certain + unseen,
    before: vectors.map(({ sigma }) => sigma),
    after: moved
      .map(({ sigma }) => sigma)
      .filter((sigma) => sigma >= last)
      .toSorted((a, b) => b - a),
  };
}

export interface WhatIfTotal extends Pick<WhatIf, "scaled" | "certain" | "open" | "change"> {
  /** In how many matrices something is scaled. */
  readonly matrices: number;
}

/** Over all matrices; the changes add up as squares. */
export function whatIfTotal(matrices: readonly Matrix[], scaling: Scaling): WhatIfTotal {
  const all = matrices.map((matrix) => whatIf(matrix, scaling));
  const sum = (value: (one: WhatIf) => number): number =>
    all.reduce((total, one) => total + value(one), 0);
  return {
    scaled: sum(({ scaled }) => scaled),
    certain: sum(({ certain }) => certain),
    open: sum(({ open }) => open),
    change: Math.sqrt(sum(({ change }) => change * change)),
    matrices: all.filter(({ scaled }) => scaled > 0).length,
  };
}
