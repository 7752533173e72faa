/** @file Counts of singular values above a number, where what is left of a matrix without its known directions is much smaller: no Gram matrix. */
import { joinColumns, subtract } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { applyChanged } from "./gram.ts";
import type { Proves } from "./known-gaps.ts";
import { norm } from "./lockstep-lanczos.ts";
import type { LowRankChange } from "./low-rank-change.ts";
import {
  denseOperator,
  frobenius,
  plus,
  product,
  productTransposed,
  timesNumber,
  type Tools,
} from "./products.ts";
import type { ShiftedCounts } from "./shifted-counts.ts";
import type { TopVectors } from "./top-vectors.ts";

export interface Deflatable {
  /** W₀ and ‖W₀‖_F. */
  readonly base: Matrix;
  readonly size: number;
  /** Leading vectors of W₀, and of the changed one. */
  readonly near: TopVectors;
  readonly tuned: TopVectors;
  /** On the smaller side. */
  readonly change: LowRankChange | undefined;
}

/** Blocks of rows of which norms are bounded. */
const blocks = 16;

/** How much of μ what is left may reach. */
const share = 0.8;

const u = 2 ** -53;

/**
 * A is W₀, or its transpose where that has fewer rows; G = A Aᵀ, and G̃ that of the changed one, A + L Cᵀ. Q [n, q] is an
 * orthonormal basis of the leading left vectors of both and of L, and P = I − Q Qᵀ, so that P G̃ P = P G P. With the rows
 * of P A parted in blocks, ‖P A‖² ≤ Σ ‖(P A)_i‖² = ν, each norm proved by a Cholesky factorisation of its block's size: much
 * above the norm itself where A is noise, and near to it where few directions are strong.
 * For μ > ν the block of P in G̃ − μ I is at most (ν − μ) I, and by its Schur complement (Haynsworth)
 *   n₊(G̃ − μ I) ≤ n₊(H − μ I + Fᵀ F / (μ − ν)),  H = Qᵀ G̃ Q,  F = P G̃ Q.
 * Whatever the vectors are this holds. Rounding, in the Frobenius norm and u = 2⁻⁵³ (Higham, Accuracy and Stability, 3.5,
 * 10.3, 19.4): products with A are off by (out + in) u ‖A‖²_F √q and Q is 8 n u √q from orthonormal, together at most
 * e = 32 (out + in) u √q (‖A‖_F + ‖change‖)² for H and for F, hence e (1 + 2 ‖F‖ / (μ − ν)) + e² / (μ − ν) and the eigenvalues' own
 * 32 q u ‖·‖: those above minus that are counted. Of ν, whose blocks hang on H, F and Q, it is 6 √q e for each.
 */
export function complementCounts(tools: Tools, given: Deflatable): ShiftedCounts {
  let made: Promise<Parts> | undefined;
  const known: number[] = [];
  const proves =
    (which: "before" | "after"): Proves =>
    async ({ p, t }) => {
      const mu = t * t;
      const { nu, error, ...parts } = await (made ??= partsOf(tools, given));
      if (!(nu < share * mu && error < 1e-6 * mu)) return undefined;
      const { H, F } = parts[which];
      const q = H.rows;
      const FF = await tools.linalg.multiply(F, F, { transposeA: true });
      const data = H.data.map((h, i) => h + at(FF.data, i) / (mu - nu) - (i % (q + 1) ? 0 : mu));
      const doubt =
        error * (1 + (2 * frobenius(F) + error) / (mu - nu)) +
        32 * q * u * frobenius({ ...H, data });
      const values = await tools.linalg.eigenvalues({ ...H, data });
      if (values.reduce((sum, value) => sum + Number(!(value < -doubt)), 0) > p) return undefined;
      known.push(t);
      return mu;
    };
  return { before: proves("before"), after: proves("after"), known: () => known };
}

/** H and F of one matrix. */
interface Split {
  readonly H: Matrix;
  readonly F: Matrix;
}

interface Parts {
  readonly before: Split;
  readonly after: Split;
  readonly nu: number;
  readonly error: number;
}

async function partsOf(
  tools: Tools,
  { base, size, near, tuned, change }: Deflatable,
): Promise<Parts> {
  const { linalg } = tools;
  const wide = base.rows <= base.columns;
  const ofSide = ({ left, right }: TopVectors) => transposedCopy(wide ? left : right);
  const known = [ofSide(near), ofSide(tuned), ...(change ? [change.left] : [])];
  const { Q } = await linalg.qr(joinColumns(known));
  const A = denseOperator(tools, base);
  const image = wide ? await A.applyTransposed(Q) : await A.apply(Q);
  const GQ = wide ? await A.apply(image) : await A.applyTransposed(image);
  const split = async (applied: Matrix): Promise<Split> => {
    const H = await linalg.multiply(Q, applied, { transposeA: true });
    return { H, F: subtract(applied, await linalg.multiply(Q, H)) };
  };
  const before = await split(GQ);
  const after = change
    ? await split(await applyChanged(tools, () => Promise.resolve(GQ), change)(Q))
    : before;
  const error =
    32 *
    (base.rows + base.columns) *
    u *
    Math.sqrt(Q.columns) *
    (size + (change?.length ?? 0)) ** 2;
  const squares = await blockSquares(tools, base, Q, before);
  // Of a block: 2 for F, 1 for H, 2 for Q beside both, and the products; √q makes that hold of its trace too.
  const nu = squares + 6 * Math.sqrt(Q.columns) * blocks * error;
  return { before, after, nu, error };
}

/**
 * Σ ‖(P A)_i‖² of blocks of rows, each bounded from above but for rounding in `before`. Their Gram matrices are
 *   (P A)_i (P A)_iᵀ = A_i A_iᵀ − F_i Q_iᵀ − Q_i F_iᵀ − Q_i H Q_iᵀ
 * of A's own F and H, so that P A is not formed.
 */
async function blockSquares(
  tools: Tools,
  base: Matrix,
  Q: Matrix,
  { H, F }: Split,
): Promise<number> {
  const n = Q.rows;
  const halves = plus(F, await product(tools, Q, timesNumber(H, 0.5)));
  const step = Math.max(1, Math.ceil(n / blocks));
  let sum = 0;
  for (let first = 0; first < n; first += step) {
    const end = Math.min(n, first + step);
    const rows = rowsOf(base, first, end);
    const K = await productTransposed(tools, rows, rows);
    const taken = await productTransposed(
      tools,
      rowsFrom(halves, first, end),
      rowsFrom(Q, first, end),
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

function rowsFrom({ columns, data }: Matrix, first: number, end: number): Matrix {
  return { rows: end - first, columns, data: data.subarray(first * columns, end * columns) };
}

/** Rows [first, end) of A: of the base, or of its transpose where that has fewer. */
function rowsOf(base: Matrix, first: number, end: number): Matrix {
  const { rows, columns, data } = base;
  if (rows <= columns) return rowsFrom(base, first, end);
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
