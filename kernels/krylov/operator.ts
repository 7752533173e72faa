/** @file A matrix that is known by its products. */
import type { Linalg } from "../linalg/index.ts";
import type { Data, Matrix } from "../linalg/matrix.ts";

/** An m × n matrix A by its products with blocks of columns; A itself need not be formed. */
export interface Operator {
  readonly rows: number;
  readonly columns: number;
  /** A X for X [n, b]. */
  apply(X: Matrix): Promise<Matrix>;
  /** Aᵀ Y for Y [m, b]. */
  applyTransposed(Y: Matrix): Promise<Matrix>;
}

/** A matrix as an operator; float32 is computed with in float64. */
export function matrixOperator(linalg: Linalg, A: Matrix<Data>): Operator {
  const data = A.data instanceof Float64Array ? A.data : Float64Array.from(A.data);
  const wide = { rows: A.rows, columns: A.columns, data };
  return {
    rows: A.rows,
    columns: A.columns,
    apply: (X) => linalg.multiply(wide, X),
    applyTransposed: (Y) => linalg.multiply(wide, Y, { transposeA: true }),
  };
}

/** Columns side by side; one part alone as it is. */
export function joinColumns(parts: readonly Matrix[]): Matrix {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const rows = parts[0]?.rows ?? 0;
  const columns = parts.reduce((sum, block) => sum + block.columns, 0);
  const data = new Float64Array(rows * columns);
  let first = 0;
  for (const block of parts) {
    for (let i = 0; i < rows; i++)
      data.set(
        block.data.subarray(i * block.columns, (i + 1) * block.columns),
        i * columns + first,
      );
    first += block.columns;
  }
  return { rows, columns, data };
}

/** The first `count` columns. */
export function firstColumns({ rows, columns, data }: Matrix, count: number): Matrix {
  const out = new Float64Array(rows * count);
  for (let i = 0; i < rows; i++)
    out.set(data.subarray(i * columns, i * columns + count), i * count);
  return { rows, columns: count, data: out };
}

/** a − b of one size. */
export function subtract(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (a.data[i] ?? NaN) - (b.data[i] ?? NaN);
  return { ...a, data };
}

/** Euclidean norm of each column, safe from overflow. */
export function columnNorms({ rows, columns, data }: Matrix): Float64Array<ArrayBuffer> {
  const tops = new Float64Array(columns);
  const out = new Float64Array(columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const size = Math.abs(data[i * columns + j] ?? NaN);
      if (!(size <= (tops[j] ?? NaN))) tops[j] = size;
    }
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const top = tops[j] ?? NaN;
      if (top !== 0) out[j] = (out[j] ?? NaN) + ((data[i * columns + j] ?? NaN) / top) ** 2;
    }
  for (let j = 0; j < columns; j++) out[j] = (tops[j] ?? NaN) * Math.sqrt(out[j] ?? NaN);
  return out;
}
