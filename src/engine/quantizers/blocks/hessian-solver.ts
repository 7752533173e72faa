/**
 * @file Quantizing the columns of a weight against the second moments of its inputs: the sweep of GPTQ.
 *
 * Frantar, Ashkboos, Hoefler, Alistarh, "GPTQ: Accurate Post-Training Quantization for Generative
 * Pre-trained Transformers", 2022, https://arxiv.org/abs/2210.17323; steps and defaults as in its
 * official code. Computed in float64, where that uses float32.
 */
import type { Linalg } from "../../../../kernels/linalg/index.ts";
import {
  checkFinite,
  checkShape,
  type Data,
  type Matrix,
} from "../../../../kernels/linalg/matrix.ts";
import { UserError } from "../../../shared/errors.ts";
import { sum } from "../../../shared/sums.ts";

export interface FactorOptions {
  /** Times the mean of the diagonal, added to it; 0.01 where not given. */
  readonly damping?: number;
  /** Takes columns by falling second moment instead of from left to right. */
  readonly actOrder?: boolean;
}

/** What a sweep needs to know of the inputs; the same for all weights that read them. */
export interface HessianFactor {
  /** [in] The column at each position of the sweep. */
  readonly order: Int32Array<ArrayBuffer>;
  /** [in] 1 for columns whose inputs were always 0: their weights become 0. */
  readonly dead: Uint8Array<ArrayBuffer>;
  /** [in, in] upper triangular with UᵀU = H⁻¹, in the order of the sweep, H damped. */
  readonly U: Matrix;
}

/** A column at its turn. */
export interface ColumnStep {
  readonly position: number;
  readonly column: number;
  /** [out] Its weights, corrected for the errors of all columns before. */
  readonly values: Float64Array;
  /** U_jj: an error e of this column costs (e / pivot)². */
  readonly pivot: number;
  /**
   * [out] The weights at a position, corrected for the errors of earlier blocks alone. That is what
   * the official code fits the grids of groups on.
   */
  readonly pending: (position: number) => Float64Array;
}

/** Writes to `into` [out] what the column becomes. */
export type ColumnQuantizer = (step: ColumnStep, into: Float64Array) => void;

export interface Swept {
  /** [out, in], columns where they were. */
  readonly values: Matrix<Float64Array<ArrayBuffer>>;
  /** Σ ((w − q) / U_jj)² = tr((W − Q) H (W − Q)ᵀ) with the damped H; the official code prints half. */
  readonly loss: number;
}

/**
 * Damps H = c XᵀX [in, in] (lower triangle; any c > 0) and factors its inverse: with J the reversal,
 * J H J = L Lᵀ gives U = J L⁻¹ J, so that no inverse of H is made. {@link UserError} where the damped
 * H is not positive definite, RangeError for NaN and infinities.
 */
export async function factorHessian(
  linalg: Linalg,
  hessian: Matrix<Data>,
  { damping = 0.01, actOrder = false }: FactorOptions = {},
): Promise<HessianFactor> {
  checkHessian(hessian);
  if (!(damping >= 0 && damping < Infinity)) throw new RangeError(`A damping of ${damping}.`);
  const n = hessian.rows;
  const diagonal = Float64Array.from({ length: n }, (_, i) => hessian.data[i * n + i] ?? NaN);
  const dead = Uint8Array.from(diagonal, (value) => (value === 0 ? 1 : 0));
  for (let i = 0; i < n; i++) if (dead[i] === 1) diagonal[i] = 1;
  const order = Int32Array.from({ length: n }, (_, i) => i);
  // Sorting a typed array keeps equal ones in their order.
  if (actOrder) order.sort((a, b) => (diagonal[b] ?? NaN) - (diagonal[a] ?? NaN));
  const added = (damping * sum(diagonal)) / Math.max(1, n);

  const reversed = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const from = order[n - 1 - i] ?? 0;
    for (let j = 0; j < i; j++) {
      const to = order[n - 1 - j] ?? 0;
      const [low, high] = from > to ? [from, to] : [to, from];
      if (dead[low] === 0 && dead[high] === 0)
        reversed[i * n + j] = hessian.data[low * n + high] ?? NaN;
    }
    reversed[i * n + i] = (diagonal[from] ?? NaN) + added;
  }
  const factor = await linalg.cholesky({ rows: n, columns: n, data: reversed });
  if (factor.kind !== "factor") {
    const column = order[n - 1 - factor.index] ?? 0;
    throw new UserError({
      code: "hessian-not-positive",
      message: `The second moments of ${n} inputs are not positive definite (at input ${column}).`,
      remedy: "Calibrate with more text, or raise the damping.",
    });
  }
  reversed.fill(0);
  for (let i = 0; i < n; i++) reversed[i * n + i] = 1;
  const identity = { rows: n, columns: n, data: reversed };
  const inverse = await linalg.solveTriangular(factor.L, { triangle: "lower" }, identity);
  return { order, dead, U: { rows: n, columns: n, data: inverse.data.reverse() } };
}

/**
 * Quantizes W [out, in] column by column; each error moves on to the columns after it, within a block
 * at once and beyond it by one product. `quantize` is asked for every column once, in order.
 */
export async function sweepColumns(
  linalg: Linalg,
  weights: Matrix<Data>,
  { order, dead, U }: HessianFactor,
  quantize: ColumnQuantizer,
  { blockSize = 128 }: { readonly blockSize?: number } = {},
): Promise<Swept> {
  checkWeights(weights, order.length);
  if (!Number.isSafeInteger(blockSize) || blockSize < 1)
    throw new RangeError(`A block has a whole number of columns, not ${blockSize}.`);
  const { rows, columns } = weights;
  const turned = turnedColumns(weights, order);
  for (const [position, column] of order.entries())
    if (dead[column] === 1) turned.fill(0, position * rows, (position + 1) * rows);
  const pending = (position: number) => turned.subarray(position * rows, (position + 1) * rows);

  let loss = 0;
  for (let first = 0; first < columns; first += blockSize) {
    const last = Math.min(first + blockSize, columns);
    const width = last - first;
    const work = turned.slice(first * rows, last * rows);
    const errors = new Float64Array(width * rows);
    const made = new Float64Array(width * rows);
    await sweep(0, width);
    turned.set(made, first * rows);
    if (last === columns) break;
    await carry(0, width, columns - first, turned.subarray(last * rows));

    /** Columns [from, to) of the block, by halves: the errors of one move on to the other by a product. */
    async function sweep(from: number, to: number): Promise<void> {
      if (to - from > oneByOne) {
        const half = from + oneByOne * Math.ceil((to - from) / (2 * oneByOne));
        await sweep(from, half);
        await carry(from, half, to, work.subarray(half * rows, to * rows));
        await sweep(half, to);
        return;
      }
      for (let k = from; k < to; k++) {
        const position = first + k;
        const values = work.subarray(k * rows, (k + 1) * rows);
        const into = made.subarray(k * rows, (k + 1) * rows);
        const pivot = U.data[position * columns + position] ?? NaN;
        quantize({ position, column: order[position] ?? 0, values, pivot, pending }, into);
        const error = errors.subarray(k * rows, (k + 1) * rows);
        for (let i = 0; i < rows; i++) {
          const e = ((values[i] ?? NaN) - (into[i] ?? NaN)) / pivot;
          error[i] = e;
          loss += e * e;
        }
        for (let m = k + 1; m < to; m++)
          subtract(work, m * rows, error, U.data[position * columns + first + m] ?? NaN);
      }
    }

    /** Takes the errors of the block's columns [from, to) off those up to `until`, which are `rest`. */
    async function carry(
      from: number,
      to: number,
      until: number,
      rest: Float64Array,
    ): Promise<void> {
      const { data } = await linalg.multiply(
        part(U, first + from, first + to, first + to, first + until),
        { rows: to - from, columns: rows, data: errors.subarray(from * rows, to * rows) },
        { transposeA: true },
      );
      for (let i = 0; i < rest.length; i++) rest[i] = (rest[i] ?? NaN) - (data[i] ?? NaN);
    }
  }
  return { values: turnedBack(turned, weights, order), loss };
}

/** Columns whose errors are carried on without a product. */
const oneByOne = 8;

/** tr((W − Q) H (W − Q)ᵀ): for H = XᵀX the squared error of the layer's outputs. H is read in full. */
export async function proxyError(
  linalg: Linalg,
  weights: Matrix<Data>,
  quantized: Matrix<Data>,
  hessian: Matrix<Data>,
): Promise<number> {
  checkWeights(weights, hessian.rows);
  checkWeights(quantized, hessian.rows);
  const { rows, columns, data } = weights;
  const difference = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++)
    difference[i] = (data[i] ?? NaN) - (quantized.data[i] ?? NaN);
  const D = { rows, columns, data: difference };
  const held =
    hessian.data instanceof Float64Array ? hessian.data : Float64Array.from(hessian.data);
  const square = { rows: columns, columns, data: held };
  const product = await linalg.multiply(D, square);
  return product.data.reduce((sum, value, i) => sum + value * (difference[i] ?? NaN), 0);
}

/** into[at …] −= factor · values */
export function subtract(
  into: Float64Array,
  at: number,
  values: Float64Array,
  factor: number,
): void {
  if (factor === 0) return;
  for (let i = 0; i < values.length; i++)
    into[at + i] = (into[at + i] ?? NaN) - factor * (values[i] ?? NaN);
}

/** Rows [top, bottom) and columns [left, right) of a matrix, copied. */
export function part(
  { columns, data }: Matrix,
  ...[top, bottom, left, right]: readonly [number, number, number, number]
): Matrix {
  const out = new Float64Array((bottom - top) * (right - left));
  for (let i = top; i < bottom; i++)
    out.set(data.subarray(i * columns + left, i * columns + right), (i - top) * (right - left));
  return { rows: bottom - top, columns: right - left, data: out };
}

/** Columns that are turned at a time, so that what is read and written of them stays in the cache. */
const atOnce = 32;

/** [in, out]: the columns one after the other, in an order. */
export function turnedColumns(
  { rows, columns, data }: Matrix<Data>,
  order: Int32Array,
): Float64Array<ArrayBuffer> {
  const turned = new Float64Array(rows * columns);
  for (let first = 0; first < columns; first += atOnce) {
    const last = Math.min(first + atOnce, columns);
    for (let i = 0; i < rows; i++)
      for (let p = first; p < last; p++)
        turned[p * rows + i] = data[i * columns + (order[p] ?? 0)] ?? NaN;
  }
  return turned;
}

/** [out, in] again, columns where they were. */
export function turnedBack(
  turned: Float64Array,
  { rows, columns }: { readonly rows: number; readonly columns: number },
  order: Int32Array,
): Matrix<Float64Array<ArrayBuffer>> {
  const data = new Float64Array(rows * columns);
  for (let first = 0; first < columns; first += atOnce) {
    const last = Math.min(first + atOnce, columns);
    for (let i = 0; i < rows; i++)
      for (let p = first; p < last; p++)
        data[i * columns + (order[p] ?? 0)] = turned[p * rows + i] ?? NaN;
  }
  return { rows, columns, data };
}

export function checkHessian(hessian: Matrix<Data>): void {
  checkShape("A Hessian", hessian);
  checkFinite("A Hessian", hessian);
  if (hessian.rows !== hessian.columns)
    throw new RangeError(`A Hessian is square, not ${hessian.rows} × ${hessian.columns}.`);
}

export function checkWeights(weights: Matrix<Data>, inputs: number): void {
  checkShape("Weights", weights);
  checkFinite("Weights", weights);
  if (weights.columns !== inputs)
    throw new RangeError(`Weights of ${weights.columns} inputs, but moments of ${inputs}.`);
}
