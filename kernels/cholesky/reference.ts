/** @file Cholesky factorisation and triangular systems in plain TypeScript. */
import { zeros, type Matrix } from "../linalg/matrix.ts";

/** L of A = L Lᵀ, L_ij = (A_ij − Σ_{l<j} L_il L_jl) / L_jj; undefined where a pivot is not over 0. */
export function choleskyReference(A: Matrix): Matrix | undefined {
  const n = A.rows;
  const L = zeros(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let rest = A.data[i * n + j] ?? NaN;
      for (let l = 0; l < j; l++) rest -= (L.data[i * n + l] ?? NaN) * (L.data[j * n + l] ?? NaN);
      if (j < i) L.data[i * n + j] = rest / (L.data[j * n + j] ?? NaN);
      else if (rest > 0) L.data[i * n + i] = Math.sqrt(rest);
      else return undefined;
    }
  return L;
}

/** X of L X = B for a lower triangle, top to bottom. */
export function solveLowerReference(L: Matrix, B: Matrix): Matrix {
  const n = L.rows;
  const X = { ...B, data: B.data.slice() };
  for (let c = 0; c < B.columns; c++)
    for (let i = 0; i < n; i++) {
      let rest = X.data[i * B.columns + c] ?? NaN;
      for (let j = 0; j < i; j++)
        rest -= (L.data[i * n + j] ?? NaN) * (X.data[j * B.columns + c] ?? NaN);
      X.data[i * B.columns + c] = rest / (L.data[i * n + i] ?? NaN);
    }
  return X;
}
