/** @file Singular values in plain TypeScript: one-sided Jacobi rotations, accurate to the last digits of each value. */
import { item, transposedCopy, zeros, type Matrix } from "../linalg/matrix.ts";

/** U [m, k], sigma [k] descending, Vt [k, n]; columns of U for σ = 0 are zero. (Hestenes 1958: columns are turned in pairs until all are orthogonal.) */
export function svdReference(A: Matrix): {
  readonly U: Matrix;
  readonly sigma: Float64Array;
  readonly Vt: Matrix;
} {
  if (A.rows < A.columns) {
    const { U, sigma, Vt } = svdReference(transposedCopy(A));
    return { U: transposedCopy(Vt), sigma, Vt: transposedCopy(U) };
  }
  const { rows: m, columns: n } = A;
  // Rows of `columns` are the columns of A, rows of `right` those of V.
  const columns = Array.from({ length: n }, (_, j) => A.data.filter((_, i) => i % n === j));
  const right = columns.map((_, j) => Float64Array.from(columns, (_, i) => Number(i === j)));
  for (let sweep = 0, rotated = true; sweep < 60 && rotated; sweep++) {
    rotated = false;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const [a, b, c] = [
          dot(item(columns, p), item(columns, p)),
          dot(item(columns, q), item(columns, q)),
          dot(item(columns, p), item(columns, q)),
        ];
        if (Math.abs(c) <= 2 ** -52 * Math.sqrt(a * b)) continue;
        rotated = true;
        const theta = (b - a) / (2 * c);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        for (const list of [columns, right])
          rotate(item(list, p), item(list, q), 1 / Math.hypot(t, 1), t);
      }
  }
  const norms = columns.map((column) => Math.sqrt(dot(column, column)));
  const order = norms.map((_, i) => i).sort((i, j) => (norms[j] ?? NaN) - (norms[i] ?? NaN));
  const U = zeros(m, n);
  const Vt = zeros(n, n);
  for (const [to, from] of order.entries()) {
    Vt.data.set(item(right, from), to * n);
    for (let i = 0; i < m; i++)
      U.data[i * n + to] =
        norms[from] === 0 ? 0 : (item(columns, from)[i] ?? NaN) / (norms[from] ?? NaN);
  }
  return { U, sigma: Float64Array.from(order, (i) => norms[i] ?? NaN), Vt };
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] ?? NaN) * (y[i] ?? NaN);
  return sum;
}

function rotate(x: Float64Array, y: Float64Array, c: number, t: number): void {
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i] ?? NaN, y[i] ?? NaN];
    x[i] = c * (a - t * b);
    y[i] = c * (t * a + b);
  }
}
