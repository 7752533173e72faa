/** @file How many eigenvalues of a Gram matrix lie above a number, before and after a low-rank change: one Cholesky factorisation for both. */
import { joinColumns } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import type { Proves } from "./known-gaps.ts";
import { inverseCore, type LowRankChange } from "./low-rank-change.ts";
import { frobenius, product, type Tools } from "./products.ts";
import { firstRows, type TopVectors } from "./top-vectors.ts";

/** What is counted. */
export interface Counted {
  /** G [n, n], formed, of the smaller side of a matrix A: W₀W₀ᵀ, say. */
  readonly gram: Matrix;
  /** A's leading vectors, as far as they are known: they are taken off, that the rest has a factor. */
  readonly near: TopVectors;
  /** ‖A‖_F and max(out, in). */
  readonly size: number;
  readonly long: number;
  /** What makes another matrix's G of this one. */
  readonly change?: LowRankChange | undefined;
}

export interface ShiftedCounts {
  /** Of G, and of the changed one: of G where nothing changes it. */
  readonly before: Proves;
  readonly after: Proves;
  /** The numbers t at which one more count costs nothing. */
  readonly known: () => readonly number[];
}

/** One factorisation, and what it tells. */
interface Factored {
  /** At most so many eigenvalues of G, and of the changed one, reach μ + `error`. */
  readonly before: { readonly count: number; readonly error: number };
  readonly after: { readonly count: number; readonly error: number };
}

const u = 2 ** -53;

/** A count whose error is a larger share of μ tells nothing of the gap that is to be proved. */
const share = 1e-6;

/**
 * L Lᵀ = μ I − G + Y_X Y_Xᵀ + E with μ = t², Y_X = X D for the known vectors X with σ² > μ/2 and D² = σ² − μ/4. With
 * the change G + Z K Zᵀ, Y = [Y_X Z] and C = diag(I, K), what is counted is G + Z K Zᵀ − μ I = −L Lᵀ + Y C Yᵀ + E, and by
 * both Schur complements of [[−L Lᵀ, Y], [Yᵀ, −C⁻¹]] (Haynsworth)
 *   n₊(−L Lᵀ + Y C Yᵀ) = n₊(T) − n₋(C),  T = VᵀV − C⁻¹,  L V = Y.
 * Whatever the vectors are, and whether or not X converged, this is exact; rounding moves eigenvalues by at most
 * (Weyl) what `error` sums in the Frobenius norm, u = 2⁻⁵³ (Higham, Accuracy and Stability, 3.5, 10.3, 8.5):
 *   of G's elements and of X D² Xᵀ      2 (long + p) u ‖A‖²_F
 *   of the factorisation and its sum    2 (n + 2) u tr(L Lᵀ)
 *   of L V = Y, where V is exact for a Y that is R away, ‖R‖ ≤ 2 n u ‖L‖_F ‖V‖_F: ‖C‖ ‖R‖ (2 ‖Y‖ + ‖R‖), for Y_X and Z each
 *   of Z K Zᵀ itself                    4 long u (‖A‖_F + ‖change‖)²
 * and T, [p + 2r, p + 2r], is off by 2 n u ‖V‖²_F + 32 (p + 2r) u ‖T‖_F: eigenvalues above minus that are counted.
 */
export function shiftedCounts(tools: Tools, counted: Counted): ShiftedCounts {
  const known = new Map<number, Factored | undefined>();
  const factored = async (t: number): Promise<Factored | undefined> => {
    if (!known.has(t)) known.set(t, await factor(tools, counted, t));
    return known.get(t);
  };
  const proves =
    (which: keyof Factored): Proves =>
    async ({ p, t }) => {
      const found = (await factored(t))?.[which];
      const mu = t * t;
      const isProved = found !== undefined && found.count <= p && found.error < share * mu;
      return isProved ? mu + found.error : undefined;
    };
  return {
    before: proves("before"),
    after: proves("after"),
    known: () => [...known].flatMap(([t, found]) => (found === undefined ? [] : [t])),
  };
}

async function factor(
  tools: Tools,
  { gram, near, size, long, change }: Counted,
  t: number,
): Promise<Factored | undefined> {
  const { linalg } = tools;
  const n = gram.rows;
  const mu = t * t;
  if (!(2 * long * u * size ** 2 < share * mu)) return undefined;
  const p = near.sigma.reduce((count, sigma) => count + Number(sigma ** 2 > mu / 2), 0);
  // Rows on the smaller side, which is that of the left vectors for out ≤ in.
  const rows = firstRows(near.left.columns === n ? near.left : near.right, p);
  const weighted: Matrix = {
    ...rows,
    data: rows.data.map((x, i) => x * Math.sqrt(at(near.sigma, Math.floor(i / n)) ** 2 - mu / 4)),
  };
  const taken = transposedCopy(weighted);
  const S = await shifted(tools, gram, mu, taken);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += at(S.data, i * n + i);
  const Y = change === undefined ? taken : joinColumns([taken, change.Z]);
  const V = await linalg.whiten(S, Y);
  if (V === undefined) return undefined;
  const T = await linalg.multiply(V, V, { transposeA: true });
  const m = T.rows;
  for (let i = 0; i < m; i++)
    for (let j = 0; j < m; j++) {
      const inverse =
        i < p || j < p ? Number(i === j) : change ? inverseCore(change, i - p, j - p) : 0;
      T.data[i * m + j] = at(T.data, i * m + j) - inverse;
    }
  const [lengthX, lengthZ] = lengths(V, p);
  const moved = (length: number, core: number, block: number) => {
    const R = 2 * n * u * Math.sqrt(trace) * length;
    return core * R * (2 * block + R);
  };
  const rounding =
    u * (2 * (long + p) * size ** 2 + 2 * (n + 2) * trace) + moved(lengthX, 1, frobenius(taken));
  const positive = async (block: Matrix, length: number) => {
    if (block.rows === 0) return 0;
    const doubt = u * (2 * n * length ** 2 + 32 * m * frobenius(block));
    const values = await linalg.eigenvalues(block);
    return values.reduce((count, value) => count + Number(!(value < -doubt)), 0);
  };
  const before = { count: await positive(corner(T, p), lengthX), error: rounding };
  if (change === undefined) return { before, after: before };
  const { rank, core, length } = change;
  return {
    before,
    after: {
      count: (await positive(T, Math.hypot(lengthX, lengthZ))) - rank,
      error:
        rounding + moved(lengthZ, core, frobenius(change.Z)) + 4 * long * u * (size + length) ** 2,
    },
  };
}

/** So many rows are made together. */
const panel = 256;

/** The lower triangle of μ I − G + Y Yᵀ, zeros above it. */
async function shifted(tools: Tools, gram: Matrix, mu: number, Y: Matrix): Promise<Matrix> {
  const n = gram.rows;
  const p = Y.columns;
  const data = new Float64Array(n * n);
  for (let first = 0; first < n; first += panel) {
    const end = Math.min(n, first + panel);
    const own = { rows: end - first, columns: p, data: Y.data.subarray(first * p, end * p) };
    const before = { rows: end, columns: p, data: Y.data.subarray(0, end * p) };
    const C = await product(tools, own, transposedCopy(before));
    for (let i = first; i < end; i++) {
      for (let j = 0; j <= i; j++)
        data[i * n + j] = (C.data[(i - first) * end + j] ?? NaN) - (gram.data[i * n + j] ?? NaN);
      data[i * n + i] = mu + at(data, i * n + i);
    }
  }
  return { rows: n, columns: n, data };
}

/** ‖·‖_F of the first p columns, and of the others. */
function lengths({ columns, data }: Matrix, p: number): readonly [number, number] {
  let [first, rest] = [0, 0];
  for (const [i, value] of data.entries())
    if (i % columns < p) first += value * value;
    else rest += value * value;
  return [Math.sqrt(first), Math.sqrt(rest)];
}

/** The first p rows and columns. */
function corner({ columns, data }: Matrix, p: number): Matrix {
  return {
    ...{ rows: p, columns: p },
    data: Float64Array.from({ length: p * p }, (_, i) =>
      at(data, Math.floor(i / p) * columns + (i % p)),
    ),
  };
}
