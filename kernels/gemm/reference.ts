/** @file The product of matrices in plain TypeScript: the definition. */
import { zeros, type Matrix } from "../linalg/matrix.ts";

/** C_ij = Σ_p A_ip B_pj, p ascending. */
export function multiplyReference(A: Matrix, B: Matrix): Matrix {
  const C = zeros(A.rows, B.columns);
  for (let i = 0; i < A.rows; i++)
    for (let p = 0; p < A.columns; p++)
      for (let j = 0; j < B.columns; j++)
        C.data[i * B.columns + j] =
          (C.data[i * B.columns + j] ?? NaN) +
          (A.data[i * A.columns + p] ?? NaN) * (B.data[p * B.columns + j] ?? NaN);
  return C;
}
