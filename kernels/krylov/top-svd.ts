/** @file The largest singular values and vectors of an operator: block Krylov or subspace iteration from a seeded start. */
import type { Linalg } from "../linalg/index.ts";
import { transposedCopy, type Matrix } from "../linalg/matrix.ts";
import { normalMatrix } from "./normal.ts";
import { columnNorms, firstColumns, joinColumns, subtract, type Operator } from "./operator.ts";

export interface TopSvdOptions {
  /** How many singular values; at most min(m, n). */
  readonly k: number;
  /** Extra columns in the block; 8 where not given. */
  readonly oversample?: number;
  /** Steps after the first product; 4 where not given. Each costs two products with a block. */
  readonly iterations?: number;
  /**
   * `krylov` (where not given) keeps every block and finds the best vectors in their span (Musco and
   * Musco 2015); `subspace` keeps the last alone, as `torch.svd_lowrank(niter)` does (Halko,
   * Martinsson and Tropp 2011): less memory, slower to converge.
   */
  readonly method?: "krylov" | "subspace";
  /** Ends before `iterations` once every residual is at most this multiple of σ₁. */
  readonly tolerance?: number;
  /** Of the starting block; the same seed gives the same bytes. */
  readonly seed: number;
}

export interface TopSvd {
  /** [m, k] */
  readonly U: Matrix;
  /** [k], descending. */
  readonly sigma: Float64Array;
  /** [k, n] */
  readonly Vt: Matrix;
  /** [k]: sqrt(‖A v − σ u‖² + ‖Aᵀ u − σ v‖²), measured with two more products, not estimated. */
  readonly residuals: Float64Array;
  /** Steps that were made. */
  readonly iterations: number;
}

/**
 * The top k of A. sigma_i ≤ σ_i(A) up to rounding, and with r_i the residual there is a singular
 * value of A (or 0, where A is not square) within r_i / √2 of sigma_i; that it is the i-th is likely
 * for a random start, not certain.
 */
export async function topSvd(linalg: Linalg, A: Operator, options: TopSvdOptions): Promise<TopSvd> {
  if (A.rows >= A.columns) return topOfTall(linalg, A, options);
  // Blocks live on the shorter side, which they can fill.
  const turned = {
    ...{ rows: A.columns, columns: A.rows },
    apply: (X: Matrix) => A.applyTransposed(X),
    applyTransposed: (Y: Matrix) => A.apply(Y),
  };
  const found = await topOfTall(linalg, turned, options);
  return { ...found, U: transposedCopy(found.Vt), Vt: transposedCopy(found.U) };
}

async function topOfTall(
  linalg: Linalg,
  A: Operator,
  { k, oversample = 8, iterations = 4, method = "krylov", tolerance, seed }: TopSvdOptions,
): Promise<TopSvd> {
  const { rows: m, columns: n } = A;
  if (!Number.isSafeInteger(k) || k < 0 || k > n)
    throw new RangeError(`topSvd: ${k} singular values of a ${m} × ${n} matrix cannot be had.`);
  const b = Math.min(n, k + oversample);
  const start = await linalg.qr(normalMatrix(n, b, seed));
  let bases: readonly Matrix[] = [start.Q];
  let images: readonly Matrix[] = [await A.apply(start.Q)];
  for (let step = 0; ; step++) {
    const filled = bases.reduce((sum, block) => sum + block.columns, 0) >= n;
    const last = step >= iterations || filled;
    if (last || tolerance !== undefined) {
      const found = await ritz(linalg, A, bases, images, k, step);
      const largest = found.residuals.reduce((top, r) => Math.max(top, r), 0);
      if (last || largest <= (tolerance ?? 0) * (found.sigma[0] ?? 0)) return found;
    }
    const latest = images.at(-1);
    if (latest === undefined) continue;
    if (method === "subspace") {
      const left = await linalg.qr(latest);
      const next = await linalg.qr(await A.applyTransposed(left.Q));
      bases = [next.Q];
      images = [await A.apply(next.Q)];
    } else {
      const room = n - bases.reduce((sum, block) => sum + block.columns, 0);
      const scaled = await unitScale(latest);
      const raw = await A.applyTransposed(scaled);
      const next = await orthogonalTo(linalg, bases, firstColumns(raw, Math.min(b, room)));
      bases = [...bases, next];
      images = [...images, await A.apply(next)];
    }
  }
}

/** Columns divided by the largest magnitude there, so that AᵀA of huge or tiny matrices stays in range. */
function unitScale(block: Matrix): Promise<Matrix> {
  const top = block.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const factor = top === 0 ? 1 : 1 / top;
  return Promise.resolve({ ...block, data: block.data.map((value) => value * factor) });
}

/** An orthonormal block of the part of `block` outside the bases; twice, which is enough (Parlett 1980). */
async function orthogonalTo(
  linalg: Linalg,
  bases: readonly Matrix[],
  block: Matrix,
): Promise<Matrix> {
  let current = block;
  for (let round = 0; round < 3; round++) {
    for (const Q of bases) {
      const inside = await linalg.multiply(Q, current, { transposeA: true });
      current = subtract(current, await linalg.multiply(Q, inside));
    }
    current = (await linalg.qr(current)).Q;
  }
  return current;
}

/** With W = A Q = U S Zᵀ: u from U, v = Q z, and the residual Aᵀ u − σ v by one more product. */
async function ritz(
  linalg: Linalg,
  A: Operator,
  bases: readonly Matrix[],
  images: readonly Matrix[],
  k: number,
  iterations: number,
): Promise<TopSvd> {
  const small = await linalg.svd(joinColumns(images));
  const U = firstColumns(small.U, k);
  const sigma = small.sigma.slice(0, k);
  const Z = {
    rows: k,
    columns: small.Vt.columns,
    data: small.Vt.data.slice(0, k * small.Vt.columns),
  };
  const V = await linalg.multiply(joinColumns(bases), Z, { transposeB: true });
  const scaledBy = (X: Matrix) => ({ ...X, data: X.data.map((x, i) => x * (sigma[i % k] ?? 0)) });
  const left = columnNorms(subtract(await A.apply(V), scaledBy(U)));
  const right = columnNorms(subtract(await A.applyTransposed(U), scaledBy(V)));
  const residuals = left.map((value, i) => Math.hypot(value, right[i] ?? NaN));
  return { U, sigma, Vt: transposedCopy(V), residuals, iterations };
}
