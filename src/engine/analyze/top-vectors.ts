/** @file The leading singular vectors of a matrix with what is known of their error: residuals and gaps. */
import { normalMatrix } from "../../../kernels/krylov/normal.ts";
import {
  columnNorms,
  firstColumns,
  joinColumns,
  subtract,
  type Operator,
} from "../../../kernels/krylov/operator.ts";
import { orthogonalTo } from "../../../kernels/krylov/top-svd.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import type { GapFrom } from "../../shared/intruder-records.ts";
import type { Apply } from "./gram.ts";
import type { Tools } from "./products.ts";

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
  { linalg }: Tools,
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
  const random = normalMatrix(n, Math.min(n, Math.max(8, k + 8 - given)), seed);
  const joined = start === undefined ? random : joinColumns([start, random]);
  const first = await linalg.qr(joined.columns > n ? firstColumns(joined, n) : joined);
  const bases = [first.Q];
  /** G Q where the Gram matrix is there, else A Q. */
  const images = [await (gram ?? apply)(first.Q)];
  let filled = first.Q.columns;
  for (let step = 1; ; step++) {
    const last = step > steps || filled >= n;
    if (last || step === 4 || step === 6 || (step > 6 && step % 4 === 1)) {
      const AQ = gram === undefined ? joinColumns(images) : undefined;
      const Q = joinColumns(bases);
      const H = await linalg.multiply(AQ ?? Q, AQ ?? joinColumns(images), { transposeA: true });
      const { V: Z } = await linalg.eigh(H);
      const top = lastColumns(Z, k);
      const V = await linalg.multiply(Q, top);
      const AV = AQ === undefined ? await apply(V) : await linalg.multiply(AQ, top);
      const found = await ritz(V, AV, applyBack);
      if (last || goodEnough(found, Math.min(count, k), error, cluster))
        return leading(found, Math.min(count + beyond, k), turned);
    }
    const image = inUnitScale(at(images, images.length - 1));
    const raw = gram === undefined ? await applyBack(image) : image;
    const next = await orthogonalTo(
      linalg,
      bases,
      firstColumns(raw, Math.min(raw.columns, n - filled)),
    );
    bases.push(next);
    images.push(await (gram ?? apply)(next));
    filled += next.columns;
  }
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
  const k = V.columns;
  const sigma = columnNorms(AV);
  const U = {
    ...AV,
    data: AV.data.map((x, i) => (at(sigma, i % k) === 0 ? 0 : x / at(sigma, i % k))),
  };
  const scaled = { ...V, data: V.data.map((v, i) => v * (sigma[i % k] ?? 0)) };
  const residuals = columnNorms(subtract(await applyBack(U), scaled));
  const rounding = 8 * U.rows * 2 ** -53 * (sigma[0] ?? 0);
  for (let i = 0; i < k; i++) residuals[i] = (residuals[i] ?? NaN) + rounding;
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
  { sigma, residuals, gaps }: Ritz,
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

/** Divided by the largest magnitude, so that AᵀA of huge or tiny matrices stays in range. */
function inUnitScale(block: Matrix): Matrix {
  let top = 0;
  for (const value of block.data) top = Math.max(top, Math.abs(value));
  return top === 0 ? block : { ...block, data: block.data.map((value) => value / top) };
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
