/** @file W₀W₀ᵀ or W₀ᵀW₀, formed: where the smaller side is small, a step then reads n² numbers instead of the matrix twice. */
import type { Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { joinColumns } from "../../../kernels/krylov/operator.ts";
import { frobenius, product, plus, type Tools } from "./products.ts";
import type { Factors } from "./source.ts";
import { stacked } from "./low-rank.ts";

/** Applies a Gram matrix [n, n], n = min(out, in), to a block of columns. */
export type Apply = (X: Matrix) => Promise<Matrix>;

const panel = 256;

/**
 * A Aᵀ for rows ≤ columns, else Aᵀ A: [n, n], symmetric to the bit, made in panels of one triangle.
 * Each element is a sum of N = max(rows, columns) products: off by at most N 2⁻⁵³ ‖A‖²_F in all (Frobenius).
 */
export async function formGram(tools: Tools, A: Matrix): Promise<Matrix> {
  const n = Math.min(A.rows, A.columns);
  const data = new Float64Array(n * n);
  const parts = A.rows <= A.columns ? rowPanels(A) : columnPanels(A);
  for (const [i, { first, across }] of parts.entries())
    for (const right of parts.slice(i)) {
      const C = await product(tools, across, right.along);
      for (let r = 0; r < C.rows; r++)
        for (let c = 0; c < C.columns; c++) {
          const [row, column] = [first + r, right.first + c];
          if (column < row) continue;
          const value = C.data[r * C.columns + c] ?? NaN;
          data[row * n + column] = value;
          data[column * n + row] = value;
        }
    }
  return { rows: n, columns: n, data };
}

/** Vectors [first, first + width) of the smaller side: as rows [width, N], and as columns [N, width]. */
interface Panel {
  readonly first: number;
  readonly across: Matrix;
  readonly along: Matrix;
}

function rowPanels({ rows, columns, data }: Matrix): readonly Panel[] {
  const parts: Panel[] = [];
  for (let first = 0; first < rows; first += panel) {
    const end = Math.min(rows, first + panel);
    const across = {
      rows: end - first,
      columns,
      data: data.subarray(first * columns, end * columns),
    };
    parts.push({ first, across, along: transposedCopy(across) });
  }
  return parts;
}

function columnPanels({ rows, columns, data }: Matrix): readonly Panel[] {
  const parts: Panel[] = [];
  for (let first = 0; first < columns; first += panel) {
    const width = Math.min(panel, columns - first);
    const own = new Float64Array(rows * width);
    for (let i = 0; i < rows; i++)
      own.set(data.subarray(i * columns + first, i * columns + first + width), i * width);
    const along = { rows, columns: width, data: own };
    parts.push({ first, across: transposedCopy(along), along });
  }
  return parts;
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

/** The Gram matrix of W₀ + Σ scale B A, formed of W₀'s: see {@link applyTunedGram}. */
export async function formTunedGram(
  tools: Tools,
  base: Matrix,
  G: Matrix,
  factors: readonly Factors[],
): Promise<FormedGram> {
  const { L, P, M, size } = await changeOf(tools, base, factors);
  // L (Pᵀ + M Lᵀ) + P Lᵀ
  const ML = await tools.linalg.multiply(L, M);
  const change = await product(
    tools,
    joinColumns([L, P]),
    transposedCopy(joinColumns([plus(P, ML), L])),
  );
  const long = Math.max(base.rows, base.columns);
  return { matrix: plus(G, change), error: 4 * long * 2 ** -53 * size ** 2, size };
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

/** L, P and M of both, and ‖W₀‖_F + ‖A‖_F ‖B‖_F. */
async function changeOf(tools: Tools, base: Matrix, factors: readonly Factors[]) {
  const { left, right } = stacked(factors);
  const wide = base.rows <= base.columns;
  const [L, other] = wide ? [left, right] : [right, left];
  const P = wide
    ? await product(tools, base, other)
    : transposedCopy(await product(tools, transposedCopy(other), base));
  const M = await tools.linalg.multiply(other, other, { transposeA: true });
  return { L, P, M, size: frobenius(base) + frobenius(left) * frobenius(right) };
}

/** Lᵀ X. */
function turned(linalg: Linalg, L: Matrix, X: Matrix): Promise<Matrix> {
  return linalg.multiply(L, X, { transposeA: true });
}
