/** @file W from W₀ and an update, as a whole matrix in float64: where nothing cheaper serves. */
import type { Data, Matrix } from "../../../kernels/linalg/index.ts";
import { invariant } from "../../shared/errors.ts";
import type { Factors, Update } from "../analyze/source.ts";

/** W [out, in]. */
export function tunedMatrix(W0: Matrix<Data>, update: Update): Matrix {
  const { rows, columns } = W0;
  if (update.kind === "tuned") return { ...update.W, data: Float64Array.from(update.W.data) };
  const data = Float64Array.from(W0.data);
  if (update.kind === "dense") {
    for (let i = 0; i < data.length; i++)
      data[i] = (data[i] ?? NaN) + (update.delta.data[i] ?? NaN);
    return { rows, columns, data };
  }
  for (const factors of update.factors) addFactors(data, columns, factors);
  const { rowScale, columnScale } = update;
  if (rowScale || columnScale)
    for (let i = 0; i < data.length; i++)
      data[i] =
        (data[i] ?? NaN) *
        (rowScale?.[Math.floor(i / columns)] ?? 1) *
        (columnScale?.[i % columns] ?? 1);
  return { rows, columns, data };
}

/** W + scale B A in place; rows of A are taken one after the other, so that memory is read in order. */
export function addFactors(W: Float64Array, columns: number, { B, A, scale }: Factors): void {
  invariant(A.columns === columns && A.rows === B.columns, "factors do not fit their matrix");
  for (let row = 0; row < B.rows; row++) {
    const into = W.subarray(row * columns, (row + 1) * columns);
    for (let k = 0; k < A.rows; k++) {
      const factor = scale * (B.data[row * A.rows + k] ?? NaN);
      if (factor === 0) continue;
      for (let column = 0; column < columns; column++)
        into[column] = (into[column] ?? NaN) + factor * (A.data[k * columns + column] ?? NaN);
    }
  }
}

/** Euclidean norms of the rows. */
export function rowNorms({ rows, columns, data }: Matrix<Data>): Float64Array {
  const norms = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let column = 0; column < columns; column++)
      sum += (data[row * columns + column] ?? NaN) ** 2;
    norms[row] = Math.sqrt(sum);
  }
  return norms;
}
