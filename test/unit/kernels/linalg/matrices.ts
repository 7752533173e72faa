/** @file The matrices that the linear algebra kernels are tried on, and the measures of what they return. */
import assert from "node:assert/strict";
import { multiplyReference } from "../../../../kernels/gemm/reference.ts";
import { createLinalg, type Linalg, type Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { qrReference } from "../../../../kernels/qr/reference.ts";
import { buildKernels } from "../../../../src/build/kernels.ts";
import { kernelBytes } from "../../../../src/engine/runtime/kernels.ts";
import { pseudoRandom } from "../pseudo-random.ts";

/** A context over at most 256 MiB. */
export async function makeLinalg(
  options: Parameters<typeof createLinalg>[1] = {},
): Promise<Linalg> {
  await buildKernels();
  return createLinalg(kernelBytes("linalg"), { maxBytes: 2 ** 28, ...options });
}

export function matrix(
  rows: number,
  columns: number,
  value: (i: number, j: number) => number,
): Matrix {
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) data[i * columns + j] = value(i, j);
  return { rows, columns, data };
}

/** Elements uniform in (−1, 1). */
export function random(rows: number, columns: number, seed: number): Matrix {
  const next = pseudoRandom(seed);
  return matrix(rows, columns, () => 2 * next() - 1);
}

export function identity(n: number): Matrix {
  return matrix(n, n, (i, j) => Number(i === j));
}

/** A matrix with given singular values, between two random orthonormal factors. */
export function withSingularValues(
  rows: number,
  columns: number,
  sigma: readonly number[],
  seed: number,
): Matrix {
  const U = qrReference(random(rows, sigma.length, seed)).Q;
  const V = qrReference(random(columns, sigma.length, seed + 1)).Q;
  return multiplyReference(timesDiagonal(U, sigma), transposedCopy(V));
}

/** A symmetric matrix with given eigenvalues. */
export function withEigenvalues(values: readonly number[], seed: number): Matrix {
  const V = qrReference(random(values.length, values.length, seed)).Q;
  const S = multiplyReference(timesDiagonal(V, values), transposedCopy(V));
  return matrix(S.rows, S.rows, (i, j) => S.data[Math.max(i, j) * S.rows + Math.min(i, j)] ?? NaN);
}

export function scaled(A: Matrix, factor: number): Matrix {
  return { ...A, data: A.data.map((value) => value * factor) };
}

/** X diag(d). */
export function timesDiagonal(X: Matrix, d: ArrayLike<number>): Matrix {
  return { ...X, data: X.data.map((value, i) => value * (d[i % X.columns] ?? NaN)) };
}

/** ‖A‖_F, safe from overflow. */
export function norm(A: Matrix): number {
  const top = A.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (top === 0 || !Number.isFinite(top)) return top;
  return top * Math.sqrt(A.data.reduce((sum, value) => sum + (value / top) ** 2, 0));
}

export function difference(A: Matrix, B: Matrix): number {
  assert.deepEqual([A.rows, A.columns], [B.rows, B.columns]);
  return norm({ ...A, data: A.data.map((value, i) => value - (B.data[i] ?? NaN)) });
}

/** ‖QᵀQ − I‖_F. */
export function disorder(Q: Matrix): number {
  return difference(multiplyReference(transposedCopy(Q), Q), identity(Q.columns));
}

export const eps = 2 ** -53;

/** ε n with the factor of the docstring; one extra column so that 1 × 1 has room for rounding in the test itself. */
export function bound(A: Matrix): number {
  return 8 * (Math.max(A.rows, A.columns) + 1) * eps;
}

const geometric = (count: number, last: number) =>
  Array.from({ length: count }, (_, i) => last ** (i / Math.max(1, count - 1)));

/** Matrices of every awkward kind; sizes straddle leaves, panels and blocks. */
export const matrices: Readonly<Record<string, Matrix>> = {
  "1 × 1": matrix(1, 1, () => -3),
  "1 × n": random(1, 40, 1),
  "n × 1": random(40, 1, 2),
  "2 × 2": random(2, 2, 3),
  "small square": random(7, 7, 4),
  square: random(97, 97, 5),
  tall: random(120, 37, 6),
  "a little taller": random(70, 66, 7),
  wide: random(33, 101, 8),
  zeros: matrix(40, 30, () => 0),
  identity: identity(50),
  ones: matrix(60, 45, () => 1),
  "orthonormal already": qrReference(random(64, 40, 9)).Q,
  "ill-conditioned (1e-14)": withSingularValues(60, 60, geometric(60, 1e-14), 10),
  Hilbert: matrix(30, 30, (i, j) => 1 / (i + j + 1)),
  "rank 5": withSingularValues(80, 60, [5, 4, 3, 2, 1], 11),
  "clusters of eight": withSingularValues(
    64,
    64,
    Array.from({ length: 64 }, (_, i) => 8 - (i >> 3)),
    12,
  ),
  "nearly equal": withSingularValues(
    60,
    50,
    Array.from({ length: 50 }, (_, i) => 1 + 1e-13 * i),
    13,
  ),
  "one large, rest equal": withSingularValues(
    50,
    50,
    Array.from({ length: 50 }, (_, i) => (i === 0 ? 1e8 : 1)),
    14,
  ),
  "one small, rest equal": withSingularValues(
    50,
    50,
    Array.from({ length: 50 }, (_, i) => (i === 49 ? 1e-12 : 1)),
    15,
  ),
  "zero rows and columns": matrix(50, 40, (i, j) =>
    i % 5 === 0 || j % 7 === 0 ? 0 : Math.sin(i * j + 1),
  ),
  diagonal: matrix(40, 40, (i, j) => (i === j ? 40 - i : 0)),
  "diagonal with zeros": matrix(40, 40, (i, j) => (i === j && i % 3 > 0 ? i : 0)),
  bidiagonal: matrix(60, 60, (i, j) => (i === j ? 1 : j === i + 1 ? 2 : 0)),
  "graded rows": matrix(40, 40, (i, j) => 10 ** -(i / 3) * Math.cos(i + 3 * j)),
  "triangle of ones": matrix(60, 60, (i, j) => Number(j >= i)),
  "Jordan block of zero": matrix(40, 40, (i, j) => Number(j === i + 1)),
  "square, in two stages": random(150, 150, 28),
  "tall, in two stages": random(170, 131, 29),
  "zeros, in two stages": matrix(140, 130, () => 0),
  "rank 3, in two stages": matrix(129, 133, (i, j) => Math.sin(i + j) + (i % 4 === 0 ? 1 : 0)),
  "triangle, in two stages": matrix(160, 160, (i, j) => Number(j >= i)),
  huge: scaled(random(45, 45, 16), 1e150),
  tiny: scaled(random(45, 45, 17), 1e-150),
  subnormal: scaled(random(12, 12, 18), 1e-310),
};

/** Symmetric matrices, likewise. */
export const symmetricMatrices: Readonly<Record<string, Matrix>> = {
  "1 × 1": matrix(1, 1, () => -3),
  "2 × 2": withEigenvalues([-1, 3], 19),
  small: withEigenvalues([-3, -1, 0, 2, 2, 7], 20),
  indefinite: withEigenvalues(
    Array.from({ length: 90 }, (_, i) => Math.sin(7 * i) * (i + 1)),
    21,
  ),
  zeros: matrix(40, 40, () => 0),
  identity: identity(50),
  "minus identity": scaled(identity(33), -1),
  ones: matrix(45, 45, () => 1),
  clustered: withEigenvalues(
    Array.from({ length: 72 }, (_, i) => (i >> 3) - 4),
    22,
  ),
  "rank 3": withEigenvalues(
    Array.from({ length: 60 }, (_, i) => (i < 3 ? i + 1 : 0)),
    23,
  ),
  "ill-conditioned": withEigenvalues(geometric(60, 1e-15), 24),
  "wide spread of signs": withEigenvalues(
    geometric(60, 1e-12).map((x, i) => (i % 2 ? x : -x)),
    25,
  ),
  Wilkinson: matrix(61, 61, (i, j) => (i === j ? Math.abs(i - 30) : Math.abs(i - j) === 1 ? 1 : 0)),
  Laplacian: matrix(80, 80, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)),
  "glued Wilkinson": matrix(84, 84, (i, j) =>
    i === j
      ? Math.abs((i % 21) - 10)
      : Math.abs(i - j) === 1
        ? Math.max(i, j) % 21 === 0
          ? 1e-9
          : 1
        : 0,
  ),
  huge: scaled(
    withEigenvalues(
      Array.from({ length: 40 }, (_, i) => i - 20),
      26,
    ),
    1e150,
  ),
  tiny: scaled(
    withEigenvalues(
      Array.from({ length: 40 }, (_, i) => i - 20),
      27,
    ),
    1e-150,
  ),
};
