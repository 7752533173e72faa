/** @file Block Lanczos for a symmetric operator, with full reorthogonalisation and its own error measured. */
import type { Linalg } from "../linalg/index.ts";
import { normalMatrix } from "./normal.ts";
import { item, zeros, type Matrix } from "../linalg/matrix.ts";
import { columnNorms, joinColumns, subtract } from "./operator.ts";

export interface LanczosOptions {
  /** Applies the symmetric operator G [n, n] to a block of columns. */
  readonly apply: (X: Matrix) => Promise<Matrix>;
  /** [n, b], of full column rank; one column gives the scalar Lanczos of textbooks. */
  readonly start: Matrix;
  /** At most this many blocks; the recurrence ends before when it has filled the space. */
  readonly steps: number;
}

/** G Q = Q J + Q₊ β_last Eᵀ with J block tridiagonal: α on the diagonal, β below it (βᵀ above). */
export interface Lanczos {
  /** start = Q₁ R. */
  readonly R: Matrix;
  /** [n, b] each, orthonormal together. */
  readonly Q: readonly Matrix[];
  /** [b, b], symmetric. */
  readonly alpha: readonly Matrix[];
  /** [b, b], upper triangular; the last couples J to Q₊. */
  readonly beta: readonly Matrix[];
  /** Q₊ [n, b]; undefined where the space is full and the last β is zero. */
  readonly next: Matrix | undefined;
  /** ρ = ‖G Q − Q J − Q₊ β_last Eᵀ‖_F: what rounding did, measured. */
  readonly rho: number;
}

/**
 * Z = G Q_j − Q_{j−1} β_{j−1}ᵀ − Q_j α_j, orthogonalised against all Q twice, = Q_{j+1} β_j. A block
 * that becomes dependent gives a singular β and arbitrary further vectors, orthogonal to the rest.
 */
export async function blockLanczos(
  linalg: Linalg,
  { apply, start, steps }: LanczosOptions,
): Promise<Lanczos> {
  const { rows: n, columns: b } = start;
  if (b === 0 || b > n) throw new RangeError(`blockLanczos: a start of ${n} × ${b}.`);
  const { Q: first, R } = await linalg.qr(start);
  const Q: Matrix[] = [first];
  const alpha: Matrix[] = [];
  const beta: Matrix[] = [];
  let rho = 0;
  for (let j = 0; ; j++) {
    const own = item(Q, j);
    const image = await apply(own);
    const a = symmetrised(await linalg.multiply(own, image, { transposeA: true }));
    alpha.push(a);
    let rest = subtract(image, await linalg.multiply(own, a));
    if (j > 0)
      rest = subtract(
        rest,
        await linalg.multiply(item(Q, j - 1), item(beta, j - 1), { transposeB: true }),
      );
    const basis = joinColumns(Q);
    let cleaned = rest;
    for (let round = 0; round < 2; round++) {
      const inside = await linalg.multiply(basis, cleaned, { transposeA: true });
      cleaned = subtract(cleaned, await linalg.multiply(basis, inside));
    }
    const full = (j + 2) * b > n;
    const factors = full ? undefined : await linalg.qr(cleaned);
    beta.push(factors?.R ?? zeros(b, b));
    let next: Matrix | undefined;
    if (factors !== undefined)
      next = alignSigns(await outside(linalg, basis, factors.Q, j), factors.Q);
    const explained =
      next === undefined ? rest : subtract(rest, await linalg.multiply(next, item(beta, j)));
    rho = Math.hypot(rho, ...columnNorms(explained));
    if (next === undefined || j + 1 >= steps) return { R, Q, alpha, beta, next, rho };
    Q.push(next);
  }
}

/**
 * Where columns of Z vanish, QR makes up directions; they too must be orthogonal to the rest. One that lies within the
 * rest leaves nothing but rounding, and random numbers stand in its place.
 */
async function outside(linalg: Linalg, basis: Matrix, Q: Matrix, seed: number): Promise<Matrix> {
  let next = Q;
  for (let round = 0; round < 4; round++) {
    const inside = await linalg.multiply(basis, next, { transposeA: true });
    const lost = columnNorms(inside).map((size) => Number(size > 0.99));
    const spare = lost.includes(1) ? normalMatrix(Q.rows, Q.columns, seed + round) : Q;
    const rest = subtract(next, await linalg.multiply(basis, inside));
    const data = rest.data.map((x, i) => (lost[i % Q.columns] === 1 ? (spare.data[i] ?? NaN) : x));
    next = (await linalg.qr({ ...rest, data })).Q;
    if (columnNorms(inside).every((size) => size <= 2 ** -50)) break;
  }
  return next;
}

function symmetrised({ rows, columns, data }: Matrix): Matrix {
  return {
    ...{ rows, columns },
    data: data.map(
      (value, i) =>
        0.5 * (value + (data[(i % columns) * columns + Math.floor(i / columns)] ?? NaN)),
    ),
  };
}

/** Columns of X with the signs of those of Y: QR of what is orthonormal already only turns signs. */
function alignSigns(X: Matrix, Y: Matrix): Matrix {
  const { columns, data } = X;
  const signs = new Float64Array(columns);
  for (const [i, value] of data.entries())
    signs[i % columns] = (signs[i % columns] ?? NaN) + value * (Y.data[i] ?? NaN);
  return { ...X, data: data.map((value, i) => ((signs[i % columns] ?? NaN) < 0 ? -value : value)) };
}
