/** @file The assignment problem in plain TypeScript: all ways are tried. */
import type { Matrix } from "../linalg/matrix.ts";

/** The least sum of costs with a column of its own for each row. O(columns! / (columns − rows)!). */
export function leastCostReference({ rows, columns, data }: Matrix): number {
  const best = (row: number, used: number): number => {
    if (row === rows) return 0;
    let least = Infinity;
    for (let j = 0; j < columns; j++)
      if ((used & (1 << j)) === 0)
        least = Math.min(least, (data[row * columns + j] ?? NaN) + best(row + 1, used | (1 << j)));
    return least;
  };
  return best(0, 0);
}
