/** @file W₀W₀ᵀ or W₀ᵀW₀, formed: where the smaller side is small, a step then reads n² numbers instead of the matrix twice. */
import type { Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { joinColumns } from "../../../kernels/krylov/operator.ts";
import { frobenius, product, plus, type Tools } from "./products.ts";
import type { Factors } from "./source.ts";
import { stacked } from "./low-rank.ts";

/** Applies a Gram matrix [n, n], n = min(out, in), to a block of columns. */
export type Apply = (X: Matrix) => Promise<Matrix>;

/** Columns of a product: of many rows wider ones are made faster by more than the triangle above them costs. */
const panelOf = (n: number): number => (n < 1536 ? 128 : 256);

/**
 * A Aᵀ for rows ≤ columns, else Aᵀ A: [n, n], symmetric to the bit, made in panels of one triangle.
 * Each element is a sum of N = max(rows, columns) products: off by at most N 2⁻⁵³ ‖A‖²_F in all (Frobenius).
 */
export async function formGram(tools: Tools, A: Matrix): Promise<Matrix> {
  const n = Math.min(A.rows, A.columns);
  const data = new Float64Array(n * n);
  const wide = A.rows <= A.columns;
  const rows = wide ? A : transposedCopy(A);
  const below = (first: number, end: number): Matrix => ({
    rows: end - first,
    columns: rows.columns,
    data: rows.data.subarray(first * rows.columns, end * rows.columns),
  });
  const panel = panelOf(n);
  for (let first = 0; first < n; first += panel) {
    // Of the columns of a panel what lies on and below the diagonal.
    const end = Math.min(n, first + panel);
    const along = wide ? transposedCopy(below(first, end)) : columnsFrom(A, first, end);
    const C = await product(tools, below(first, n), along);
    for (let r = 0; r < C.rows; r++) {
      const width = Math.min(C.columns, r + 1);
      data.set(C.data.subarray(r * C.columns, r * C.columns + width), (first + r) * n + first);
    }
  }
  mirror(data, n);
  return { rows: n, columns: n, data };
}

function columnsFrom({ rows, columns, data }: Matrix, first: number, end: number): Matrix {
  const width = end - first;
  const own = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++)
    own.set(data.subarray(i * columns + first, i * columns + end), i * width);
  return { rows, columns: width, data: own };
}

/** The lower triangle over the upper one, in blocks that stay in the cache. */
function mirror(data: Float64Array, n: number): void {
  const block = 32;
  for (let top = 0; top < n; top += block)
    for (let left = 0; left <= top; left += block)
      for (let i = top; i < Math.min(n, top + block); i++)
        for (let j = left; j < Math.min(i, left + block); j++)
          data[j * n + i] = data[i * n + j] ?? NaN;
}

/** G X. */
export function applyGram(tools: Tools, G: Matrix): Apply {
  return (X) => product(tools, G, X);
}

/** U S² Uᵀ X, from rows of left vectors [n, n] and all singular values of an out ≤ in matrix. */
export function applyKept(tools: Tools, left: Matrix, sigma: Float64Array): Apply {
  return async (X) => {
    const inside = await product(tools, left, X);
    const data = inside.data.map((x, i) => x * (sigma[Math.floor(i / X.columns)] ?? NaN) ** 2);
    const across = transposedCopy({ ...inside, data });
    return transposedCopy(await product(tools, across, left));
  };
}

/** A matrix whose elements are off by at most `error` in all (Frobenius), beyond the rounding of sums of max(out, in) products of rows that `size` is long. */
export interface FormedGram {
  readonly matrix: Matrix;
  readonly error: number;
  readonly size: number;
}

/** The Gram matrix of W₀ + Σ scale B A, formed of W₀'s, whose norm is `norm`: see {@link applyTunedGram}. */
export async function formTunedGram(
  tools: Tools,
  base: Matrix,
  G: Matrix,
  norm: number,
  factors: readonly Factors[],
): Promise<FormedGram> {
  const { L, P, M, size: change } = await changeOf(tools, base, factors);
  const size = norm + change;
  // L (Pᵀ + M Lᵀ) + P Lᵀ
  const ML = await tools.linalg.multiply(L, M);
  const difference = await product(
    tools,
    joinColumns([L, P]),
    transposedCopy(joinColumns([plus(P, ML), L])),
  );
  const long = Math.max(base.rows, base.columns);
  return { matrix: plus(G, difference), error: 4 * long * 2 ** -53 * size ** 2, size };
}

/**
 * The Gram matrix of W₀ + Σ scale B A on the same side as G, that of W₀ [out, in]: G + P Lᵀ + L Pᵀ + L M Lᵀ
 * with L = B, P = W₀ Aᵀ and M = A Aᵀ, or L = Aᵀ, P = W₀ᵀ B and M = Bᵀ B.
 */
export async function applyTunedGram(
  tools: Tools,
  base: Matrix,
  G: Apply,
  factors: readonly Factors[],
): Promise<Apply> {
  const { linalg } = tools;
  const { L, P, M } = await changeOf(tools, base, factors);
  return async (X) => {
    const inner = await turned(linalg, L, X);
    const image = await G(X);
    const first = await linalg.multiply(P, inner);
    const rest = plus(await turned(linalg, P, X), await linalg.multiply(M, inner));
    return plus(plus(image, first), await linalg.multiply(L, rest));
  };
}

/** L, P and M of both, and ‖A‖_F ‖B‖_F. */
async function changeOf(tools: Tools, base: Matrix, factors: readonly Factors[]) {
  const { left, right } = stacked(factors);
  const wide = base.rows <= base.columns;
  const [L, other] = wide ? [left, right] : [right, left];
  const P = wide
    ? await product(tools, base, other)
    : transposedCopy(await product(tools, transposedCopy(other), base));
  const M = await tools.linalg.multiply(other, other, { transposeA: true });
  return { L, P, M, size: frobenius(left) * frobenius(right) };
}

/** Lᵀ X. */
function turned(linalg: Linalg, L: Matrix, X: Matrix): Promise<Matrix> {
  return linalg.multiply(L, X, { transposeA: true });
}
