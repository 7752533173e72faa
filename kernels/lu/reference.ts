/** @file LU factorisation with partial pivoting in plain TypeScript: elimination as in the textbook. */
import { item, zeros, type Matrix } from "../linalg/matrix.ts";

/** P A = L U; row i of P A is row permutation[i] of A. */
export function luReference(A: Matrix): {
  readonly L: Matrix;
  readonly U: Matrix;
  readonly permutation: readonly number[];
} {
  const { rows: m, columns: n } = A;
  const k = Math.min(m, n);
  const rows = Array.from({ length: m }, (_, i) => A.data.slice(i * n, (i + 1) * n));
  const factors = rows.map(() => new Float64Array(k));
  const permutation = rows.map((_, i) => i);
  for (let j = 0; j < k; j++) {
    let pick = j;
    for (let i = j + 1; i < m; i++)
      if (Math.abs(item(rows, i)[j] ?? NaN) > Math.abs(item(rows, pick)[j] ?? NaN)) pick = i;
    if (item(rows, pick)[j] === 0) continue;
    for (const list of [rows, factors]) [list[j], list[pick]] = [item(list, pick), item(list, j)];
    [permutation[j], permutation[pick]] = [item(permutation, pick), item(permutation, j)];
    for (let i = j + 1; i < m; i++) {
      const factor = (item(rows, i)[j] ?? NaN) / (item(rows, j)[j] ?? NaN);
      item(factors, i)[j] = factor;
      item(rows, i)[j] = 0;
      for (let l = j + 1; l < n; l++)
        item(rows, i)[l] = (item(rows, i)[l] ?? NaN) - factor * (item(rows, j)[l] ?? NaN);
    }
  }
  const L = zeros(m, k);
  const U = zeros(k, n);
  for (let i = 0; i < m; i++) L.data.set(item(factors, i), i * k);
  for (let i = 0; i < k; i++) {
    L.data[i * k + i] = 1;
    U.data.set(item(rows, i), i * n);
  }
  return { L, U, permutation };
}
