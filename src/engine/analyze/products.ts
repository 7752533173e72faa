/** @file Matrices known by their products: the base where it lies, and the tuned one without forming it. */
import type { Operator } from "../../../kernels/krylov/operator.ts";
import type { Data, Gemm, Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import type { Factors, Update } from "./source.ts";

/** What the numbers are made with. */
export interface Tools {
  readonly linalg: Linalg;
  /** Makes products with whole matrices; WebAssembly where not given. */
  readonly gemm?: Gemm | undefined;
  /** The same of A Bᵀ. */
  readonly timesTransposed?: Gemm | undefined;
}

/** The matrix in float64; the same one where it is already. */
export function inFloat64(A: Matrix<Data>): Matrix {
  const data = A.data instanceof Float64Array ? A.data : Float64Array.from(A.data);
  return { rows: A.rows, columns: A.columns, data };
}

/** Products of fewer multiplications are made by WebAssembly: handing them over would cost more. */
const handOver = 2 ** 19;

/** A B by the caller's product, or WebAssembly. */
export function product(tools: Tools, A: Matrix, B: Matrix): Promise<Matrix> {
  return tools.gemm === undefined || A.rows * A.columns * B.columns < handOver
    ? tools.linalg.multiply(A, B)
    : tools.gemm(A, B);
}

/** A Bᵀ in the same way. */
export function productTransposed(tools: Tools, A: Matrix, B: Matrix): Promise<Matrix> {
  return tools.timesTransposed === undefined || A.rows * A.columns * B.rows < handOver
    ? tools.linalg.multiply(A, B, { transposeB: true })
    : tools.timesTransposed(A, B);
}

/** Rows [first, end), where they lie. */
export function rowsBetween({ columns, data }: Matrix, first: number, end: number): Matrix {
  return { rows: end - first, columns, data: data.subarray(first * columns, end * columns) };
}

/** A dense matrix as an operator; blocks of vectors are turned round, the matrix never is. */
export function denseOperator(tools: Tools, A: Matrix): Operator {
  const { linalg, gemm } = tools;
  return {
    rows: A.rows,
    columns: A.columns,
    apply: (X) => product(tools, A, X),
    applyTransposed:
      gemm === undefined
        ? (Y) => linalg.multiply(A, Y, { transposeA: true })
        : async (Y) => transposedCopy(await gemm(transposedCopy(Y), A)),
  };
}

/** W of a base and its update, applied and never formed (where the update is factors). */
export function tunedOperator(tools: Tools, base: Operator, update: Update): Operator {
  switch (update.kind) {
    case "tuned":
      return denseOperator(tools, inFloat64(update.W));
    case "dense":
      return sumOperator(base, denseOperator(tools, inFloat64(update.delta)));
    case "factors": {
      const parts = update.factors.map((one) => factorOperator(tools, one));
      const sum = parts.reduce(sumOperator, base);
      return scaledOperator(sum, update.rowScale, update.columnScale);
    }
  }
}

/** scale B A. */
function factorOperator({ linalg }: Tools, { B, A, scale }: Factors): Operator {
  const b = inFloat64(B);
  const a = timesNumber(inFloat64(A), scale);
  return {
    rows: b.rows,
    columns: a.columns,
    apply: async (X) => linalg.multiply(b, await linalg.multiply(a, X)),
    applyTransposed: async (Y) =>
      linalg.multiply(a, await linalg.multiply(b, Y, { transposeA: true }), { transposeA: true }),
  };
}

function sumOperator(left: Operator, right: Operator): Operator {
  return {
    rows: left.rows,
    columns: left.columns,
    apply: async (X) => plus(await left.apply(X), await right.apply(X)),
    applyTransposed: async (Y) =>
      plus(await left.applyTransposed(Y), await right.applyTransposed(Y)),
  };
}

function scaledOperator(
  inner: Operator,
  rowScale: Data | undefined,
  columnScale: Data | undefined,
): Operator {
  if (rowScale === undefined && columnScale === undefined) return inner;
  return {
    ...inner,
    apply: async (X) => timesRows(await inner.apply(timesRows(X, columnScale)), rowScale),
    applyTransposed: async (Y) =>
      timesRows(await inner.applyTransposed(timesRows(Y, rowScale)), columnScale),
  };
}

/** W formed: for an exact SVD. */
export async function formTuned(tools: Tools, base: Matrix, update: Update): Promise<Matrix> {
  switch (update.kind) {
    case "tuned":
      return inFloat64(update.W);
    case "dense":
      return plus(base, inFloat64(update.delta));
    case "factors": {
      let sum = base;
      for (const { B, A, scale } of update.factors)
        sum = plus(sum, await product(tools, inFloat64(B), timesNumber(inFloat64(A), scale)));
      const scaled = timesRows(sum, update.rowScale);
      return update.columnScale === undefined ? scaled : timesColumns(scaled, update.columnScale);
    }
  }
}

/** ΔW = W − W₀ formed. */
export async function formUpdate(tools: Tools, base: Matrix, update: Update): Promise<Matrix> {
  if (update.kind === "dense") return inFloat64(update.delta);
  const W = await formTuned(tools, base, update);
  return { ...W, data: W.data.map((value, i) => value - (base.data[i] ?? NaN)) };
}

export function plus(A: Matrix, B: Matrix): Matrix {
  const data = new Float64Array(A.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (A.data[i] ?? NaN) + (B.data[i] ?? NaN);
  return { ...A, data };
}

export function timesNumber(A: Matrix, factor: number): Matrix {
  const data = new Float64Array(A.data.length);
  for (let i = 0; i < data.length; i++) data[i] = (A.data[i] ?? NaN) * factor;
  return { ...A, data };
}

/** diag(scale) A. */
function timesRows(A: Matrix, scale: Data | undefined): Matrix {
  if (scale === undefined) return A;
  const data = new Float64Array(A.data.length);
  for (let i = 0; i < A.rows; i++) {
    const factor = scale[i] ?? NaN;
    const end = (i + 1) * A.columns;
    for (let at = i * A.columns; at < end; at++) data[at] = (A.data[at] ?? NaN) * factor;
  }
  return { ...A, data };
}

/** A diag(scale). */
export function timesColumns(A: Matrix, scale: Data): Matrix {
  const data = new Float64Array(A.data.length);
  for (let i = 0; i < A.rows; i++)
    for (let j = 0; j < A.columns; j++) {
      const at = i * A.columns + j;
      data[at] = (A.data[at] ?? NaN) * (scale[j] ?? NaN);
    }
  return { ...A, data };
}

/** ‖A‖_F, safe from overflow for finite elements of any scale. */
export function frobenius({ data }: Matrix<Data>): number {
  // Four sums, so that additions need not wait for each other.
  let [a, b, c, d] = [0, 0, 0, 0];
  const n = data.length - (data.length % 4);
  for (let i = 0; i < n; i += 4) {
    a += (data[i] ?? NaN) ** 2;
    b += (data[i + 1] ?? NaN) ** 2;
    c += (data[i + 2] ?? NaN) ** 2;
    d += (data[i + 3] ?? NaN) ** 2;
  }
  for (let i = n; i < data.length; i++) a += (data[i] ?? NaN) ** 2;
  const plain = a + b + (c + d);
  if (plain > 1e-200 && plain < 1e300) return Math.sqrt(plain);
  let top = 0;
  for (const value of data) top = Math.max(top, Math.abs(value));
  if (top === 0) return 0;
  let sum = 0;
  for (const value of data) sum += (value / top) ** 2;
  return top * Math.sqrt(sum);
}
