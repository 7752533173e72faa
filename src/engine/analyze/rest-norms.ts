/** @file Bounds of the norm of a matrix without some of its directions, by the norms of blocks of its rows. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { formGram } from "./gram.ts";
import { norm } from "./lockstep-lanczos.ts";
import {
  plus,
  product,
  productTransposed,
  rowsBetween,
  timesNumber,
  type Tools,
} from "./products.ts";

/** What is left of A, which has no more rows than columns, without the columns of Q: P A, P = I − Q Qᵀ. */
export interface Rest {
  /** [n, q], orthonormal. */
  readonly Q: Matrix;
  /** Qᵀ G Q and P G Q of G = A Aᵀ. */
  readonly H: Matrix;
  readonly F: Matrix;
  /** ‖P A‖²_F, about. */
  readonly square: number;
  /** How much the norm of a block's Gram matrix, and its trace, may be off by the errors of Q, H and F. */
  readonly rounding: number;
}

/** A number that ‖P A‖² does not pass, below `most`; undefined where none is found. */
export type RestBelow = (most: number) => Promise<number | undefined>;

/** Numbers of blocks of rows: more are made faster, fewer bound more sharply. */
const partitions = [32, 16, 8, 4] as const;

/** A bound is expected to be this much of what it may be: the power method and rounding take the rest. */
const expectedShare = 0.9;

const u = 2 ** -53;

/** Bounds of ‖P A‖²: the partition that costs least among those of which enough is expected, then those that bound more sharply. */
export function restNorms(tools: Tools, base: Matrix, rest: Rest): RestBelow {
  const expected = (blocks: number) => noiseSquares(base, Math.max(0, rest.square), blocks);
  let found = Infinity;
  let excess = 1;
  const left: number[] = [...partitions];
  return async (most) => {
    while (!(found < most)) {
      const next = left.findIndex((blocks) => excess * expected(blocks) < expectedShare * most);
      const [blocks] = next < 0 ? [] : left.splice(0, next + 1).slice(-1);
      if (blocks === undefined) return undefined;
      const nu = (await blockSquares(tools, base, rest, blocks)) + blocks * rest.rounding;
      found = Math.min(found, nu);
      excess = Math.max(excess, nu / expected(blocks));
    }
    return found;
  };
}

/** Σ ‖A_i‖² of blocks of rows of noise with ‖A‖²_F = `square`: each is as large as the edge of Marchenko and Pastur. */
function noiseSquares({ rows, columns }: Matrix, square: number, blocks: number): number {
  const [n, long] = [Math.min(rows, columns), Math.max(rows, columns)];
  return (square / (n * long)) * blocks * (Math.sqrt(long) + Math.sqrt(n / blocks)) ** 2;
}

/**
 * Σ ‖(P A)_i‖² of blocks of rows, each bounded from above but for `rounding`. Their Gram matrices are
 *   (P A)_i (P A)_iᵀ = A_i A_iᵀ − F_i Q_iᵀ − Q_i F_iᵀ − Q_i H Q_iᵀ
 * of A's own F and H, so that P A is not formed.
 */
async function blockSquares(
  tools: Tools,
  base: Matrix,
  { Q, H, F }: Rest,
  blocks: number,
): Promise<number> {
  const n = Q.rows;
  const halves = plus(F, await product(tools, Q, timesNumber(H, 0.5)));
  const step = Math.max(1, Math.ceil(n / blocks));
  let sum = 0;
  for (let first = 0; first < n; first += step) {
    const end = Math.min(n, first + step);
    const rows = rowsOf(base, first, end);
    const K = await formGram(tools, rows);
    const taken = await productTransposed(
      tools,
      rowsBetween(halves, first, end),
      rowsBetween(Q, first, end),
    );
    sum += await largestOf(tools, lessBoth(K, taken), rows.columns);
  }
  return sum;
}

/** K − T − Tᵀ */
function lessBoth(K: Matrix, T: Matrix): Matrix {
  const m = K.rows;
  const data = new Float64Array(m * m);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++) {
      const place = i * m + j;
      data[place] = at(K.data, place) - (at(T.data, place) + at(T.data, j * m + i));
    }
  return { ...K, data };
}

/** Rows [first, end) of A: of the base, or of its transpose where that has fewer. */
function rowsOf(base: Matrix, first: number, end: number): Matrix {
  const { rows, columns, data } = base;
  if (rows <= columns) return rowsBetween(base, first, end);
  const width = end - first;
  const part = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++)
    part.set(data.subarray(i * columns + first, i * columns + end), i * width);
  return transposedCopy({ rows, columns: width, data: part });
}

/** Some steps of the power method fall short by a few per cent. */
const powerSteps = 12;
const tried = [1.1, 1.4] as const;

/** At least the largest eigenvalue of K, positive semidefinite, whose elements are sums of `count` products: by a factor of a multiple of I less K, or the trace. */
async function largestOf({ linalg }: Tools, K: Matrix, count: number): Promise<number> {
  const m = K.rows;
  let trace = 0;
  for (let i = 0; i < m; i++) trace += at(K.data, i * m + i);
  let x: Matrix = { rows: m, columns: 1, data: new Float64Array(m).fill(1) };
  let largest = 0;
  for (let step = 0; step < powerSteps; step++) {
    const length = norm(x.data);
    if (length === 0) break;
    largest = Math.max(largest, step === 0 ? 0 : length);
    x = await linalg.multiply(K, { ...x, data: x.data.map((value) => value / length) });
  }
  const rounding = 2 * (count + m + 2) * u * (trace + m * largest);
  for (const factor of tried) {
    const bound = largest * factor;
    const S = K.data.map((value, i) => (i % (m + 1) ? 0 : bound) - value);
    if (bound < trace && (await linalg.isPositiveDefinite({ ...K, data: S })))
      return bound + rounding;
  }
  return trace + rounding;
}
