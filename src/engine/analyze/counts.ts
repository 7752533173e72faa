/** @file Counts over a grid of ε and k, from the interval that is known of each vector's greatest cosine. */
import type { MatrixIntrudersRecord, VectorRecord } from "../../shared/intruder-records.ts";

/** How many of the first k vectors are certainly, and how many possibly, intruders at ε, over all matrices: rows are ε, columns k. */
export function countGrid(
  records: readonly MatrixIntrudersRecord[],
  epsilons: readonly number[],
  ks: readonly number[],
): {
  readonly certain: readonly (readonly number[])[];
  readonly possible: readonly (readonly number[])[];
} {
  const vectorsUpTo = (k: number): readonly VectorRecord[] =>
    records.flatMap(({ vectors }) => vectors.filter(({ index }) => index < k));
  const counted = (is: (vector: VectorRecord, epsilon: number) => boolean) =>
    epsilons.map((epsilon) =>
      ks.map((k) => vectorsUpTo(k).filter((vector) => is(vector, epsilon)).length),
    );
  return {
    certain: counted(({ upper }, epsilon) => upper < epsilon),
    possible: counted(({ lower }, epsilon) => lower < epsilon),
  };
}

/** Intruders of all matrices. */
export function totalOf(records: readonly MatrixIntrudersRecord[]): number {
  return records.reduce((sum, { count }) => sum + count, 0);
}
