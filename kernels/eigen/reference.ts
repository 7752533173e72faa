/** @file The symmetric eigenproblem in plain TypeScript: Jacobi's rotations. */
import { zeros, type Matrix } from "../linalg/matrix.ts";

/** Eigenvalues ascending with unit eigenvectors as columns of V: cyclic sweeps of rotations that zero one element each (Jacobi 1846). */
export function eighReference(A: Matrix): { readonly values: Float64Array; readonly V: Matrix } {
  const n = A.rows;
  const S = A.data.slice();
  const V = zeros(n, n);
  for (let i = 0; i < n; i++) V.data[i * n + i] = 1;
  for (let sweep = 0; sweep < 40; sweep++) {
    let rotated = false;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        const off = S[p * n + q] ?? NaN;
        const gap = (S[q * n + q] ?? NaN) - (S[p * n + p] ?? NaN);
        if (Math.abs(off) <= 2 ** -60 * Math.hypot(S[p * n + p] ?? NaN, S[q * n + q] ?? NaN))
          continue;
        rotated = true;
        const theta = gap / (2 * off);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (let i = 0; i < n; i++) rotate(S, i * n + p, i * n + q, c, s);
        for (let i = 0; i < n; i++) rotate(S, p * n + i, q * n + i, c, s);
        for (let i = 0; i < n; i++) rotate(V.data, i * n + p, i * n + q, c, s);
      }
    if (!rotated) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => (S[i * n + i] ?? NaN) - (S[j * n + j] ?? NaN),
  );
  const sorted = zeros(n, n);
  for (const [to, from] of order.entries())
    for (let i = 0; i < n; i++) sorted.data[i * n + to] = V.data[i * n + from] ?? NaN;
  return { values: Float64Array.from(order, (i) => S[i * n + i] ?? NaN), V: sorted };
}

function rotate(x: Float64Array, i: number, j: number, c: number, s: number): void {
  const [a, b] = [x[i] ?? NaN, x[j] ?? NaN];
  x[i] = c * a - s * b;
  x[j] = s * a + c * b;
}
