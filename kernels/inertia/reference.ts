/** @file Inertia in plain TypeScript: the signs of the eigenvalues. */
import { eighReference } from "../eigen/reference.ts";
import type { Matrix } from "../linalg/matrix.ts";

/** How many eigenvalues of A lie above, below and exactly at `shift`. */
export function inertiaReference(A: Matrix, shift: number) {
  const { values } = eighReference(A);
  const count = (holds: (value: number) => boolean) => values.filter(holds).length;
  return {
    positive: count((value) => value > shift),
    negative: count((value) => value < shift),
    zero: count((value) => value === shift),
  };
}
