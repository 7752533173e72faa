/** @file The second stage: cosines of tuned vectors with every left vector of W₀, and what of them hangs on a choice of basis. */
import type { Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { dot } from "./lockstep-lanczos.ts";
import { product, type Tools } from "./products.ts";
import type { KeptSvd } from "./source.ts";
import { rowOf } from "./top-vectors.ts";

/** The full thin SVD of W₀ as it is cached: 8 · min · (out + 2) bytes. */
export async function fullBaseSvd(linalg: Linalg, base: Matrix): Promise<KeptSvd> {
  const { U, sigma } = await linalg.svd(base);
  return {
    sigma,
    left: transposedCopy(U),
    residuals: new Float64Array(sigma.length).fill(
      8 * Math.max(base.rows, base.columns) * 2 ** -53 * (sigma[0] ?? 0),
    ),
    values: sigma,
  };
}

/** One tuned vector against all base vectors. */
export interface ExactCosine {
  /** max_i |⟨y, u₀ᵢ⟩| over the vectors that this SVD gave: the official number. */
  readonly official: number;
  readonly base: number;
  /** In every SVD of W₀ the largest cosine lies in [lower, upper]. */
  readonly lower: number;
  readonly upper: number;
  readonly multiplicity: number;
  readonly projection: number;
  /** Where directions below the numerical rank are arbitrary, what they can reach; 0 where there are none. */
  readonly arbitrary: number;
}

/** Cosines |⟨y, u₀ᵢ⟩| of each row of Y [k, out] with each base vector: [k, count]. */
export async function cosinesWith(tools: Tools, Y: Matrix, svd: KeptSvd): Promise<Matrix> {
  const values = await product(tools, svd.left, transposedCopy(Y));
  const turned = transposedCopy(values);
  return { ...turned, data: turned.data.map(Math.abs) };
}

/** Below this singular value an SVD in float32 gives directions that are mostly rounding. */
export function arbitraryBelow(sigma1: number): number {
  return 16 * 2 ** -24 * sigma1;
}

/**
 * Clusters are base values within `cluster` σ₁ of their neighbours: of π = ‖P y‖ and multiplicity
 * m, every basis has a cosine of at least π / √m and none more than π.
 */
export function exactCosine(
  y: Float64Array,
  cosines: Float64Array,
  svd: KeptSvd,
  cluster: number,
): ExactCosine {
  const { sigma } = svd;
  const top = sigma[0] ?? 0;
  const floor = arbitraryBelow(top);
  let rank = sigma.length;
  while (rank > 0 && (sigma[rank - 1] ?? 0) <= floor) rank -= 1;
  let [official, base] = [0, 0];
  for (const [i, value] of cosines.entries()) if (value > official) [official, base] = [value, i];
  let [lower, upper, multiplicity, projection, inside] = [0, 0, 1, 0, 0];
  for (let first = 0; first < rank;) {
    let end = first + 1;
    while (end < rank && at(sigma, end - 1) - at(sigma, end) <= cluster * top) end += 1;
    let mass = 0;
    for (let i = first; i < end; i++) mass += at(cosines, i) ** 2;
    inside += mass;
    const pi = Math.sqrt(mass);
    lower = Math.max(lower, pi / Math.sqrt(end - first));
    if (pi > upper) [upper, multiplicity, projection] = [pi, end - first, pi];
    first = end;
  }
  let arbitrary = 0;
  if (rank < sigma.length) {
    arbitrary = Math.sqrt(Math.max(0, dot(y, y) - inside));
    const whole = y.length - rank;
    if (sigma.length - rank === whole) lower = Math.max(lower, arbitrary / Math.sqrt(whole));
  }
  return { official, base, lower, upper, multiplicity, projection, arbitrary };
}

/** Row j of a matrix of cosines. */
export function cosinesOf(all: Matrix, j: number): Float64Array {
  return rowOf(all, j);
}
