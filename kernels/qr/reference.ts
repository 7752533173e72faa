/** @file Householder QR in plain TypeScript, one column after the other. */
import { zeros, type Matrix } from "../linalg/matrix.ts";

/** The thin Q and R; H_j = I − 2 v vᵀ / vᵀv turns column j onto −sign(a_jj) e_j. */
export function qrReference(A: Matrix): { readonly Q: Matrix; readonly R: Matrix } {
  const { rows: m, columns: n } = A;
  const k = Math.min(m, n);
  const work = A.data.slice();
  const Q = zeros(m, k);
  const vectors: Float64Array[] = [];
  for (let j = 0; j < k; j++) {
    const v = new Float64Array(m);
    for (let i = j; i < m; i++) v[i] = work[i * n + j] ?? NaN;
    const head = v[j] ?? NaN;
    v[j] = head < 0 ? head - Math.hypot(...v) : head + Math.hypot(...v);
    // A column that is zero already below the diagonal stays as it is.
    if (v.subarray(j + 1).every((value) => value === 0)) v.fill(0);
    reflectColumns(v, work, n);
    vectors.push(v);
  }
  for (let j = 0; j < k; j++) Q.data[j * k + j] = 1;
  for (const v of vectors.toReversed()) reflectColumns(v, Q.data, k);
  const R = zeros(k, n);
  for (let i = 0; i < k; i++)
    for (let j = i; j < n; j++) R.data[i * n + j] = work[i * n + j] ?? NaN;
  return { Q, R };
}

/** X ← (I − 2 v vᵀ / vᵀv) X. */
function reflectColumns(v: Float64Array, X: Float64Array, columns: number): void {
  const size = v.reduce((sum, value) => sum + value * value, 0);
  if (size === 0) return;
  for (let j = 0; j < columns; j++) {
    let dot = 0;
    for (const [i, value] of v.entries()) dot += value * (X[i * columns + j] ?? NaN);
    for (const [i, value] of v.entries())
      X[i * columns + j] = (X[i * columns + j] ?? NaN) - (2 * dot * value) / size;
  }
}
