/** @file W₀W₀ᵀ or W₀ᵀW₀, formed: where the smaller side is small, a step then reads n² numbers instead of the matrix twice. */
import type { Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import type { LowRankChange } from "./low-rank-change.ts";
import { product, productTransposed, plus, rowsBetween, type Tools } from "./products.ts";

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
  const rows = A.rows <= A.columns ? A : transposedCopy(A);
  const panel = panelOf(n);
  for (let first = 0; first < n; first += panel) {
    // Of the columns of a panel what lies on and below the diagonal.
    const end = Math.min(n, first + panel);
    const below = rowsBetween(rows, first, n);
    const C = await productTransposed(tools, below, rowsBetween(rows, first, end));
    for (let r = 0; r < C.rows; r++) {
      const width = Math.min(C.columns, r + 1);
      data.set(C.data.subarray(r * C.columns, r * C.columns + width), (first + r) * n + first);
    }
  }
  mirror(data, n);
  return { rows: n, columns: n, data };
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

/** The changed Gram matrix, G + P Lᵀ + L Pᵀ + L M Lᵀ. */
export function applyChanged(
  { linalg }: Tools,
  G: Apply,
  { left: L, image: P, inner: M }: LowRankChange,
): Apply {
  return async (X) => {
    const inner = await turned(linalg, L, X);
    const image = await G(X);
    const first = await linalg.multiply(P, inner);
    const rest = plus(await turned(linalg, P, X), await linalg.multiply(M, inner));
    return plus(plus(image, first), await linalg.multiply(L, rest));
  };
}

/** Lᵀ X. */
function turned(linalg: Linalg, L: Matrix, X: Matrix): Promise<Matrix> {
  return linalg.multiply(L, X, { transposeA: true });
}
