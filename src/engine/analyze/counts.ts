/** @file Counts over a grid of ε and k, from the cosines of the exact stage. */
import type { CountGridRecord, MatrixIntrudersRecord } from "./records.ts";

/** How many of the first k vectors have a largest cosine below ε, summed over the matrices; rows are ε, columns k. */
export function countGrid(
  records: readonly MatrixIntrudersRecord[],
  epsilons: readonly number[],
  ks: readonly number[],
): CountGridRecord {
  const counts = epsilons.map((epsilon) =>
    ks.map((k) =>
      records.reduce(
        (sum, { vectors }) =>
          sum +
          vectors.filter(({ index, official }) => index < k && (official ?? Infinity) < epsilon)
            .length,
        0,
      ),
    ),
  );
  return { epsilons, ks, counts };
}
