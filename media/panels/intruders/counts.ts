/** @file Counts of intruders as thresholds move: each vector has an interval for its greatest cosine, exact ones a point. */
import type { MatrixIntrudersRecord, Verdict } from "../../../src/shared/intruder-records.ts";

/** A left vector of the tuned matrix, by its greatest cosine to one of the base. */
export interface Vector {
  readonly index: number;
  readonly sigma: number;
  readonly lower: number;
  readonly upper: number;
  /** Its bounds hang on a gap that is not known for sure: no proof. */
  readonly isLikely?: boolean;
}

export interface Matrix {
  readonly name: string;
  readonly vectors: readonly Vector[];
  readonly noiseFloor: number;
  /** Whether cosines are known and not only bounded. */
  readonly isExact: boolean;
  /** Whether the cosines to all vectors of the base lie beside the document. */
  readonly hasCosines: boolean;
}

/** Of a matrix's record what counting needs. */
export interface Counted extends Pick<MatrixIntrudersRecord, "name" | "noiseFloor" | "cosines"> {
  readonly vectors: readonly (Vector & { readonly by?: Verdict })[];
}

export function matrixOf({ name, vectors, noiseFloor, cosines }: Counted): Matrix {
  return {
    name,
    vectors: vectors.map(({ index, sigma, lower, upper, by }) => ({
      ...{ index, sigma, lower, upper, isLikely: by === "likely" },
    })),
    noiseFloor,
    isExact: vectors.every(({ lower, upper }) => upper - lower < 1e-6),
    hasCosines: cosines !== undefined,
  };
}

export interface Count {
  /** Certainly below the threshold. */
  readonly certain: number;
  /** Neither certainly below nor certainly above: a band. */
  readonly open: number;
}

/** How many of the first k vectors are intruders at a threshold. */
export function countOf({ vectors }: Matrix, epsilon: number, k: number): Count {
  const first = vectors.slice(0, k);
  const certain = first.filter(({ upper }) => upper < epsilon).length;
  const possible = first.filter(({ lower }) => lower < epsilon).length;
  return { certain, open: possible - certain };
}

export function sumOf(matrices: readonly Matrix[], epsilon: number, k: number): Count {
  return matrices
    .map((matrix) => countOf(matrix, epsilon, k))
    .reduce(
      (sum, count) => ({ certain: sum.certain + count.certain, open: sum.open + count.open }),
      {
        certain: 0,
        open: 0,
      },
    );
}

/** Σσ² of the intruders among the first k over that of all of them; NaN where there are none. */
export function energyOf(matrices: readonly Matrix[], epsilon: number, k: number): number {
  let own = 0;
  let all = 0;
  for (const { vectors } of matrices)
    for (const { sigma, upper } of vectors.slice(0, k)) {
      all += sigma * sigma;
      if (upper < epsilon) own += sigma * sigma;
    }
  return all > 0 ? own / all : NaN;
}
