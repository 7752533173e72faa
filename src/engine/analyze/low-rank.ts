/** @file The SVD of Σ scale B A by QR of the factors and a small core: out × in is never formed. */
import type { Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { joinColumns } from "../../../kernels/krylov/operator.ts";
import { inFloat64, timesNumber } from "./products.ts";
import type { Factors } from "./source.ts";

/** Rank vectors and values: U [out, r], sigma descending, Vt [r, in]. */
export interface LowRankSvd {
  readonly U: Matrix;
  readonly sigma: Float64Array;
  readonly Vt: Matrix;
}

/** B = Q_B R_B, Aᵀ = Q_A R_A; U and V are turned by the SVD of R_B R_Aᵀ [r, r]. */
export async function svdOfFactors(
  linalg: Linalg,
  factors: readonly Factors[],
): Promise<LowRankSvd> {
  const { left, right } = stacked(factors);
  const [b, a] = [await linalg.qr(left), await linalg.qr(right)];
  const core = await linalg.svd(await linalg.multiply(b.R, a.R, { transposeB: true }));
  return {
    U: await linalg.multiply(b.Q, core.U),
    sigma: core.sigma,
    Vt: await linalg.multiply(core.Vt, a.Q, { transposeB: true }),
  };
}

/** The singular values alone: of R_B R_Aᵀ, no Q is turned. */
export async function valuesOfFactors(
  linalg: Linalg,
  factors: readonly Factors[],
): Promise<Float64Array> {
  const { left, right } = stacked(factors);
  const [b, a] = [await linalg.triangle(left), await linalg.triangle(right)];
  return linalg.singularValues(await linalg.multiply(b, a, { transposeB: true }));
}

/** [B₁ s₁, B₂ s₂ …] [out, r] and [A₁ᵀ, A₂ᵀ …] [in, r]. */
export function stacked(factors: readonly Factors[]): {
  readonly left: Matrix;
  readonly right: Matrix;
} {
  return {
    left: joinColumns(factors.map(({ B, scale }) => timesNumber(inFloat64(B), scale))),
    right: joinColumns(factors.map(({ A }) => transposedCopy(inFloat64(A)))),
  };
}
