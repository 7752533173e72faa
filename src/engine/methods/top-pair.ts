/** @file The largest singular directions of a matrix as a pair of factors. */
import { matrixOperator } from "../../../kernels/krylov/operator.ts";
import { topSvd } from "../../../kernels/krylov/top-svd.ts";
import type { StartContext, StartSite } from "./start.ts";
import { uprightSign } from "./upright.ts";

export interface TopPair {
  /** [rank, in] */
  readonly A: Float32Array;
  /** [out, rank] */
  readonly B: Float32Array;
  /** The singular values [rank]; 0 beyond the smaller side. */
  readonly sigma: Float32Array;
}

/** Subspace iteration from a random start, in place of the exact decomposition. */
export interface Sketch {
  readonly iterations: number;
  /** Directions that are followed beside those that are asked for; 8 where not given. */
  readonly oversample?: number;
}

/** Where Σ goes: both sides get √Σ, or the left one Σ, or none. */
export type Halves = "both" | "right" | "none";

/**
 * U and Vᵀ of the `ctx.rank` largest singular values of a matrix [out, in], with Σ in `both` as its root, in B
 * alone where A keeps the `right` vectors, or in `none`. The right vectors stand upright. Rows beyond the smaller side
 * are zero.
 */
export async function topPair(
  site: StartSite,
  { linalg, rank }: Pick<StartContext, "linalg" | "rank">,
  matrix: Float32Array,
  halves: Halves,
  sketch?: Sketch,
): Promise<TopPair> {
  const k = Math.min(rank, site.in, site.out);
  const M = { rows: site.out, columns: site.in, data: Float64Array.from(matrix) };
  const found =
    sketch === undefined
      ? await linalg.svd(M)
      : await topSvd(linalg, matrixOperator(linalg, M), {
          ...{ k, ...sketch, method: "subspace", seed: 0 },
        });
  const A = new Float32Array(rank * site.in);
  const B = new Float32Array(site.out * rank);
  const sigma = new Float32Array(rank);
  for (let j = 0; j < k; j++) {
    const value = found.sigma[j] ?? 0;
    sigma[j] = value;
    const sign = uprightSign(found.Vt.data.subarray(j * site.in, (j + 1) * site.in));
    const left = sign * (halves === "both" ? Math.sqrt(value) : halves === "right" ? value : 1);
    const right = sign * (halves === "both" ? Math.sqrt(value) : 1);
    for (let column = 0; column < site.in; column++)
      A[j * site.in + column] = right * (found.Vt.data[j * site.in + column] ?? 0);
    for (let row = 0; row < site.out; row++)
      B[row * rank + j] = left * (found.U.data[row * found.U.columns + j] ?? 0);
  }
  return { A, B, sigma };
}
