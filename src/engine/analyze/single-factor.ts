/** @file A Cholesky factor in float32 with a bound of what it is off by, and half a solution by it in float64. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { product, type Tools } from "./products.ts";

/** L Lᵀ = S + E and L V = Y. */
export interface Factor {
  readonly V: Matrix;
  /** tr(S), so about ‖L‖²_F. */
  readonly trace: number;
  /** At least ‖E‖. */
  readonly error: number;
}

/** Rows of Lᵀ that are made together, and inner numbers of one float32 product. */
const panel = 128;
const inner = 1024;

const u32 = 2 ** -24;

/**
 * Of S = μ I − G + X Xᵀ (X [n, p], which joins S in float64), row panel by row panel of R = Lᵀ:
 *   C = S_j − Σ R_kjᵀ R_k  by float32 products over at most K = {@link inner} numbers, added in float64,
 *   R_jj by Cholesky and R_j = R_jj⁻ᵀ C by a triangular solve in float64, each rounded to float32.
 * Element by element |E| ≤ γ |L||Lᵀ| with γ = (K + 4) u₃₂ for the sums, the rounding of R (twice on the diagonal) and
 * what float64 does, which is less than u₃₂ (Higham, Accuracy and Stability, 3.5, 8.5, 10.3, in which any order of
 * sums may be). So ‖E‖ ≤ γ ‖|L||Lᵀ|‖_∞, whose row sums are made on the way. S is scaled to μ ≈ 1, and what underflow
 * drops, n 2⁻¹²⁰ for each element, joins. Undefined where S has no factor.
 */
export async function singleFactor(
  tools: Tools,
  { gram, mu, taken: X, Y }: Shifted,
): Promise<Factor | undefined> {
  const { linalg } = tools;
  const n = gram.rows;
  // Of t² as a power of four, so that scaling is exact.
  const unit = 2 ** -Math.round(Math.log2(mu) / 2);
  const R = new Float32Array(n * n);
  const V = new Float64Array(n * Y.columns);
  const rowSums = new Float64Array(n);
  const Xt = transposedCopy(X);
  let trace = 0;
  for (let first = 0; first < n; first += panel) {
    const end = Math.min(n, first + panel);
    const [width, rest] = [end - first, n - first];
    const own: Matrix = {
      ...{ rows: width, columns: X.columns },
      data: X.data.subarray(first * X.columns, end * X.columns),
    };
    const C = (await product(tools, own, columnsFrom(Xt, first))).data;
    for (let i = 0; i < width; i++) {
      const from = (first + i) * n + first;
      for (let j = 0; j < rest; j++)
        C[i * rest + j] = ((C[i * rest + j] ?? NaN) - (gram.data[from + j] ?? NaN)) * unit ** 2;
      const diagonal = at(C, i * rest + i) + mu * unit ** 2;
      C[i * rest + i] = diagonal;
      trace += diagonal;
    }
    for (let from = 0; from < first; from += inner) {
      const count = Math.min(inner, first - from);
      const above = block(R, n, [from, count], [first, rest]);
      const P = await product32(tools, transposed32(above, width), above);
      for (let i = 0; i < C.length; i++) C[i] = (C[i] ?? NaN) - (P.data[i] ?? NaN);
    }
    const D: Matrix = { rows: width, columns: width, data: new Float64Array(width * width) };
    for (let i = 0; i < width; i++) D.data.set(C.subarray(i * rest, i * rest + width), i * width);
    const corner = await linalg.cholesky(D);
    if (corner.kind !== "factor") return undefined;
    const L: Matrix = { ...corner.L, data: Float64Array.from(corner.L.data, Math.fround) };
    if (L.data.some((value, i) => i % (width + 1) === 0 && value === 0)) return undefined;
    const solved = await linalg.solveTriangular(
      L,
      { triangle: "lower" },
      { rows: width, columns: rest, data: C },
    );
    for (let i = 0; i < width; i++) {
      const to = (first + i) * n + first;
      for (let j = 0; j < rest; j++)
        R[to + j] = j < width ? (L.data[j * width + i] ?? NaN) : (solved.data[i * rest + j] ?? NaN);
      let sum = 0;
      for (let j = i; j < rest; j++) sum += Math.abs(R[to + j] ?? NaN);
      for (let j = i; j < rest; j++)
        rowSums[first + j] = (rowSums[first + j] ?? NaN) + Math.abs(R[to + j] ?? NaN) * sum;
    }
    await halfSolved(tools, { R, n, L, V, Y }, first, end);
  }
  const gamma = (Math.min(inner, n) + 4) * u32 * 1.01;
  const largest = rowSums.reduce((most, value) => Math.max(most, value), 0);
  return {
    V: { ...Y, data: V.map((value) => value * unit) },
    trace: trace / unit ** 2,
    error: (gamma * largest * 1.01 + n * n * 2 ** -120) / unit ** 2,
  };
}

/** What is factorised: see {@link singleFactor}. */
export interface Shifted {
  readonly gram: Matrix;
  readonly mu: number;
  readonly taken: Matrix;
  readonly Y: Matrix;
}

/** Rows [first, end) of V = L⁻¹ Y. */
async function halfSolved(
  tools: Tools,
  { R, n, L, V, Y }: { R: Float32Array; n: number; L: Matrix; V: Float64Array; Y: Matrix },
  first: number,
  end: number,
): Promise<void> {
  const m = Y.columns;
  const own: Matrix = {
    ...{ rows: end - first, columns: m },
    data: Y.data.slice(first * m, end * m),
  };
  if (first > 0) {
    const above = transposed32(block(R, n, [0, first], [first, end - first]), end - first);
    const known = { rows: first, columns: m, data: V.subarray(0, first * m) };
    const wide = { ...above, data: Float64Array.from(above.data) };
    const sum = await product(tools, wide, known);
    for (let i = 0; i < own.data.length; i++)
      own.data[i] = (own.data[i] ?? NaN) - (sum.data[i] ?? NaN);
  }
  const solved = await tools.linalg.solveTriangular(L, { triangle: "lower" }, own);
  V.set(solved.data, first * m);
}

function product32(
  { linalg, gemm32 }: Tools,
  a: Matrix<Float32Array>,
  b: Matrix<Float32Array>,
): Promise<Matrix<Float32Array>> {
  return gemm32 === undefined ? linalg.multiply(a, b) : gemm32(a, b);
}

/** A part of R, with nothing between its rows. */
function block(
  R: Float32Array,
  n: number,
  [top, rows]: readonly [number, number],
  [left, columns]: readonly [number, number],
): Matrix<Float32Array> {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    const from = (top + i) * n + left;
    data.set(R.subarray(from, from + columns), i * columns);
  }
  return { rows, columns, data };
}

/** The first `width` columns as rows. */
function transposed32(A: Matrix<Float32Array>, width: number): Matrix<Float32Array> {
  const data = new Float32Array(width * A.rows);
  for (let i = 0; i < A.rows; i++)
    for (let j = 0; j < width; j++) data[j * A.rows + i] = A.data[i * A.columns + j] ?? NaN;
  return { rows: width, columns: A.rows, data };
}

/** Columns from `first` on. */
function columnsFrom({ rows, columns, data }: Matrix, first: number): Matrix {
  const width = columns - first;
  const own = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++)
    own.set(data.subarray(i * columns + first, (i + 1) * columns), i * width);
  return { rows, columns: width, data: own };
}
