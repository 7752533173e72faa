/** @file The leading singular vectors of a matrix with what is known of their error: residuals and gaps. */
import { normalMatrix } from "../../../kernels/krylov/normal.ts";
import {
  columnNorms,
  firstColumns,
  joinColumns,
  subtract,
  type Operator,
} from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import type { GapFrom } from "../../shared/intruder-records.ts";
import type { Apply } from "./gram.ts";
import { bordered, growingBasis, outsideOf } from "./growing-basis.ts";
import { product, timesColumns, timesNumber, type Tools } from "./products.ts";

/** The top `count` of a thin SVD in float64. */
export interface TopVectors {
  /** Descending. */
  readonly sigma: Float64Array;
  /** Left vectors as rows [count, out], right ones as rows [count, in]. */
  readonly left: Matrix;
  readonly right: Matrix;
  /** sqrt(‖A v − σ u‖² + ‖Aᵀ u − σ v‖²) */
  readonly residuals: Float64Array;
  /** At least this far from every other singular value; 0 where that is not known to be positive. */
  readonly gaps: Float64Array;
  /**
   * Of each: from all singular values; a count of those above a number; or Ritz values of a block Krylov space. That misses a
   * value only if its vector is all but orthogonal to every one of b ≥ 8 random columns: with a share of at most δ of
   * their length for a chance below δ^b, and q steps magnify a share by T_q(1 + 2 gap).
   */
  readonly gapFrom: readonly GapFrom[];
}

export interface TopOptions {
  readonly count: number;
  /** So many more are returned, which are not waited for. */
  readonly beyond?: number;
  /** Stop once √2 r / gap of each vector is at most this (of those with a gap worth the name). */
  readonly error: number;
  /** Values nearer to each other than this share of σ₁ are one cluster: their vectors are not waited for. */
  readonly cluster: number;
  readonly seed: number;
  /** At most so many; 24 where not given. */
  readonly steps?: number;
  /** Vectors [min(out, in), b] to begin with, beside random ones. */
  readonly start?: Matrix | undefined;
  /** Applies the Gram matrix of the smaller side, where it was formed; residuals are of the matrix itself all the same. */
  readonly gram?: Apply | undefined;
}

/** By an exact SVD of what `dense` forms. */
export async function exactTop(
  { linalg }: Tools,
  dense: () => Promise<Matrix>,
  count: number,
): Promise<TopVectors> {
  const A = await dense();
  const { U, sigma, Vt } = await linalg.svd(A);
  const kept = Math.min(count, sigma.length);
  const rounding = 8 * Math.max(A.rows, A.columns) * 2 ** -53 * (sigma[0] ?? 0);
  const residuals = new Float64Array(kept).fill(rounding);
  return {
    sigma: sigma.slice(0, kept),
    left: firstRows(transposedCopy(U), kept),
    right: firstRows(Vt, kept),
    residuals,
    gaps: gapsOf(sigma, new Float64Array(sigma.length).fill(rounding)).slice(0, kept),
    gapFrom: Array.from(residuals, () => "values" as const),
  };
}

/**
 * By block Krylov (Musco and Musco 2015) from a seeded start, beside which `start` may name vectors
 * of the smaller side to begin with. Steps are made until the vectors are good, at most `steps`;
 * residuals say how good they became.
 */
export async function krylovTop(
  tools: Tools,
  A: Operator,
  { count, beyond = 0, error, cluster, seed, steps = 24, start, gram }: TopOptions,
): Promise<TopVectors> {
  // As everywhere: the side of a square matrix is its rows.
  const turned = A.rows <= A.columns;
  const apply = (X: Matrix) => (turned ? A.applyTransposed(X) : A.apply(X));
  const applyBack = (X: Matrix) => (turned ? A.apply(X) : A.applyTransposed(X));
  const n = Math.min(A.rows, A.columns);
  // Two values more than are asked for, so that the last has a neighbour to keep away from.
  const k = Math.min(n, count + beyond + 2);
  const given = start?.columns ?? 0;
  const random = normalMatrix(n, Math.min(n, Math.max(8, count + 10 - given)), seed);
  const joined = start === undefined ? random : joinColumns([start, random]);
  const first = await tools.linalg.qr(joined.columns > n ? firstColumns(joined, n) : joined);
  const basis = growingBasis(tools, first.Q);
  const applyGram = gram ?? inUnitScale(apply, applyBack);
  let newest = first.Q;
  let H: Matrix = { rows: 0, columns: 0, data: new Float64Array(0) };
  for (let step = 1; ; step++) {
    const { inside, outside, R } = await basis.part(await applyGram(newest));
    H = bordered(H, inside);
    const last = step > steps || outside.columns === 0;
    if (last || step >= 4) {
      const { values, V: Z } = await tools.linalg.eigh(H);
      const top = lastColumns(Z, k);
      const wanted = Math.min(count, k);
      if (last || goodEnough(estimated(values, R, top), wanted, error, cluster)) {
        const Vt = await product(tools, transposedCopy(top), basis.rows());
        const V = transposedCopy(Vt);
        const found = await ritz(V, await apply(V), applyBack);
        if (last || goodEnough(found, wanted, error, cluster))
          return leading(found, Math.min(count + beyond, k), turned);
      }
    }
    basis.join(outside);
    newest = outside;
  }
}

/** Singular values and residuals as the recurrence tells them: ‖AᵀA v − σ² v‖ / σ. */
function estimated(
  values: Float64Array,
  R: Matrix,
  top: Matrix,
): Pick<Ritz, "sigma" | "residuals" | "gaps"> {
  const outside = outsideOf(R, top);
  const sigma = outside.map((_, i) => Math.sqrt(Math.max(0, at(values, values.length - 1 - i))));
  // Smaller ones are lost in the rounding of squares; what is measured afterwards decides.
  const least = 1e-8 * at(sigma, 0);
  const residuals = outside.map((r, i) => (r === 0 ? 0 : r / Math.max(at(sigma, i), least)));
  return { sigma, residuals, gaps: gapsOf(sigma, residuals) };
}

/** AᵀA over the square of a power of two near A's size, so that huge and tiny matrices stay in range. */
function inUnitScale(apply: Apply, applyBack: Apply): Apply {
  let unit: number | undefined;
  return async (X) => {
    const image = await apply(X);
    if (unit === undefined) {
      let top = 0;
      for (const value of image.data) top = Math.max(top, Math.abs(value));
      unit = top === 0 ? 1 : 2 ** -Math.floor(Math.log2(top));
    }
    return timesNumber(await applyBack(timesNumber(image, unit)), unit);
  };
}

/** In the orientation with at least as many rows as columns. */
interface Ritz {
  readonly U: Matrix;
  readonly V: Matrix;
  readonly sigma: Float64Array;
  readonly residuals: Float64Array;
  readonly gaps: Float64Array;
}

/**
 * The largest eigenvectors z of Qᵀ AᵀA Q give v = Q z, σ = ‖A v‖ and u = A v / σ, so that A v = σ u
 * whatever squaring did to z; what is left is Aᵀ u − σ v, and it is measured.
 */
async function ritz(
  V: Matrix,
  AV: Matrix,
  applyBack: (X: Matrix) => Promise<Matrix>,
): Promise<Ritz> {
  const sigma = columnNorms(AV);
  const U = timesColumns(
    AV,
    sigma.map((s) => (s === 0 ? 0 : 1 / s)),
  );
  const residuals = columnNorms(subtract(await applyBack(U), timesColumns(V, sigma)));
  const rounding = 8 * U.rows * 2 ** -53 * (sigma[0] ?? 0);
  for (const [i, r] of residuals.entries()) residuals[i] = r + rounding;
  return { U, V, sigma, residuals, gaps: gapsOf(sigma, residuals) };
}

/** Eigenvectors come by ascending value: the last k, last first. */
function lastColumns({ rows, columns, data }: Matrix, k: number): Matrix {
  const out = new Float64Array(rows * k);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < k; j++) out[i * k + j] = at(data, i * columns + columns - 1 - j);
  return { rows, columns: k, data: out };
}

function goodEnough(
  { sigma, residuals, gaps }: Pick<Ritz, "sigma" | "residuals" | "gaps">,
  wanted: number,
  error: number,
  cluster: number,
): boolean {
  const near = cluster * (sigma[0] ?? 0);
  return residuals.every((r, i) => {
    if (i >= wanted) return true;
    return nearest(sigma, i) <= near ? r <= near : Math.SQRT2 * r <= error * (gaps[i] ?? 0);
  });
}

function leading(
  { U, V, sigma, residuals, gaps }: Ritz,
  wanted: number,
  turned: boolean,
): TopVectors {
  const [left, right] = turned ? [V, U] : [U, V];
  return firstOf(
    {
      ...{ sigma, residuals, gaps, left: transposedCopy(left), right: transposedCopy(right) },
      gapFrom: Array.from(sigma, () => "ritz" as const),
    },
    wanted,
  );
}

/** The first `count` of them. */
export function firstOf(top: TopVectors, count: number): TopVectors {
  return {
    sigma: top.sigma.slice(0, count),
    left: firstRows(top.left, count),
    right: firstRows(top.right, count),
    residuals: top.residuals.slice(0, count),
    gaps: top.gaps.slice(0, count),
    gapFrom: top.gapFrom.slice(0, count),
  };
}

function nearest(sigma: Float64Array, i: number): number {
  const own = sigma[i] ?? NaN;
  return Math.min(
    i > 0 ? (sigma[i - 1] ?? NaN) - own : Infinity,
    i + 1 < sigma.length ? own - (sigma[i + 1] ?? NaN) : Infinity,
  );
}

/** Distance of each value to its neighbours, less the residuals of both. */
export function gapsOf(sigma: Float64Array, residuals: Float64Array): Float64Array {
  return sigma.map((own, i) => {
    const r = residuals[i] ?? NaN;
    const above = i > 0 ? (sigma[i - 1] ?? NaN) - own - r : Infinity;
    const below =
      i + 1 < sigma.length ? own - (sigma[i + 1] ?? NaN) - (residuals[i + 1] ?? NaN) : Infinity;
    const nearest = Math.min(above, below);
    // Zero is an eigenvalue too of what has the singular values, where a matrix is not square.
    return Math.max(0, Math.min(nearest, own));
  });
}

export function firstRows({ columns, data }: Matrix, count: number): Matrix {
  return { rows: count, columns, data: data.slice(0, count * columns) };
}

export function rowOf({ columns, data }: Matrix, i: number): Float64Array {
  return data.slice(i * columns, (i + 1) * columns);
}
