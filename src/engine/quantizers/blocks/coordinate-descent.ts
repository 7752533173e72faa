/**
 * @file Coordinate descent over the columns of a weight against the second moments of its inputs.
 *
 * Behdin, Acharya, Gupta, Song, Zhu, Keerthi, Mazumder, "QuantEase: Optimization-based Quantization
 * for Language Models", 2023, https://arxiv.org/abs/2309.01885. No inverse and no damping.
 */
import type { Linalg } from "../../../../kernels/linalg/index.ts";
import type { Data, Matrix } from "../../../../kernels/linalg/matrix.ts";
import {
  checkHessian,
  checkWeights,
  part,
  subtract,
  turnedBack,
  turnedColumns,
  type ColumnQuantizer,
} from "./hessian-solver.ts";

export interface DescentOptions {
  /** [out, in] Where the descent starts; the weights themselves where not given. */
  readonly start?: Matrix<Data>;
  /** 30 where not given. */
  readonly passes?: number;
  /** Passes 1, 4, 7, … below 25, but for the last, leave columns unrounded; true where not given. */
  readonly relax?: boolean;
  /** [in] The column at each position; from left to right where not given. */
  readonly order?: Int32Array;
  readonly blockSize?: number;
}

export interface Descended {
  /** [out, in] The result of the last pass. */
  readonly values: Matrix<Float64Array<ArrayBuffer>>;
  /** tr((W − Ŵ) Σ (W − Ŵ)ᵀ) after each pass. */
  readonly objectives: readonly number[];
}

/**
 * Sets each column j in turn to the nearest on its grid of Ŵ_j + ((W − Ŵ) Σ)_j / Σ_jj, which is best
 * while the others stay: with a fixed grid no rounded pass after the first raises the objective. A
 * column whose inputs were always 0 is rounded as it is. `quantize` gets a pivot of 1 / √Σ_jj and no
 * pending weights but the column itself; it must be the same function in each pass.
 */
export async function descendColumns(
  linalg: Linalg,
  weights: Matrix<Data>,
  hessian: Matrix<Data>,
  quantize: ColumnQuantizer,
  options: DescentOptions = {},
): Promise<Descended> {
  const { start, passes = 30, relax = true, blockSize = 128 } = options;
  checkHessian(hessian);
  checkWeights(weights, hessian.rows);
  if (!Number.isSafeInteger(passes) || passes < 1) throw new RangeError(`${passes} passes.`);
  if (!Number.isSafeInteger(blockSize) || blockSize < 1)
    throw new RangeError(`A block has a whole number of columns, not ${blockSize}.`);
  const { rows, columns } = weights;
  const order = options.order ?? Int32Array.from({ length: columns }, (_, i) => i);
  const sigma = permuted(hessian, order);
  const wanted = turnedColumns(weights, order);
  const current = start === undefined ? wanted.slice() : turnedColumns(start, order);
  /** (W − Ŵ) Σ, turned like the rest. */
  const pull = (await linalg.multiply(sigma, turned(difference(wanted, current)))).data;

  const objectives: number[] = [];
  for (let pass = 0; pass < passes; pass++) {
    const free = relax && pass % 3 === 1 && pass < 25 && pass !== passes - 1;
    for (let first = 0; first < columns; first += blockSize)
      await descendBlock(first, Math.min(first + blockSize, columns), free);
    objectives.push(
      pull.reduce((sum, p, i) => sum + p * ((wanted[i] ?? NaN) - (current[i] ?? NaN)), 0),
    );
  }
  return { values: turnedBack(current, weights, order), objectives };

  async function descendBlock(first: number, last: number, free: boolean): Promise<void> {
    const width = last - first;
    const work = pull.slice(first * rows, last * rows);
    const moves = new Float64Array(width * rows);
    const target = new Float64Array(rows);
    for (let k = 0; k < width; k++) {
      const position = first + k;
      const own = sigma.data[position * columns + position] ?? NaN;
      const held = current.subarray(position * rows, (position + 1) * rows);
      const move = moves.subarray(k * rows, (k + 1) * rows);
      for (let i = 0; i < rows; i++)
        target[i] =
          own > 0
            ? (held[i] ?? NaN) + (work[k * rows + i] ?? NaN) / own
            : (wanted[position * rows + i] ?? NaN);
      move.set(held);
      if (free) held.set(target);
      else {
        const step = { position, column: order[position] ?? 0, values: target };
        quantize({ ...step, pivot: 1 / Math.sqrt(own), pending: () => target }, held);
      }
      for (let i = 0; i < rows; i++) move[i] = (held[i] ?? NaN) - (move[i] ?? NaN);
      for (let m = k + 1; m < width; m++)
        subtract(work, m * rows, move, sigma.data[position * columns + first + m] ?? NaN);
    }
    const block = { rows: width, columns: rows, data: moves };
    const update = await linalg.multiply(part(sigma, first, last, 0, columns), block, {
      transposeA: true,
    });
    for (let i = 0; i < pull.length; i++) pull[i] = (pull[i] ?? NaN) - (update.data[i] ?? NaN);
  }
  function turned(data: Float64Array): Matrix {
    return { rows: columns, columns: rows, data };
  }
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - (b[i] ?? NaN));
}

/** Rows and columns in an order; the lower triangle for both. */
function permuted({ rows: n, data }: Matrix<Data>, order: Int32Array): Matrix {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const [a, b] = [order[i] ?? 0, order[j] ?? 0];
      out[i * n + j] = data[Math.max(a, b) * n + Math.min(a, b)] ?? NaN;
    }
  return { rows: n, columns: n, data: out };
}
