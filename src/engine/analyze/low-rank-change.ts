/** @file What a low-rank update of a matrix does to its Gram matrix: G + Z K Zᵀ. */
import { joinColumns } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { stacked } from "./low-rank.ts";
import { frobenius, product, timesNumber, type Tools } from "./products.ts";
import type { Factors } from "./source.ts";

/**
 * Of W = W₀ + B A, on the left: W Wᵀ = G + Z K Zᵀ with Z = [B P], P = W₀Aᵀ, K = [[A Aᵀ, I], [I, 0]], of inertia
 * (r, 0, r); on the right the same of Wᵀ and W₀ᵀ.
 */
export interface LowRankChange {
  /** B / c and c P, both as long as each other: W is the same for B / c and c A. c is a power of two. */
  readonly left: Matrix;
  readonly image: Matrix;
  /** [left image], of as many rows as that side. */
  readonly Z: Matrix;
  /** r, c² A Aᵀ, and at least ‖K‖. */
  readonly rank: number;
  readonly inner: Matrix;
  readonly core: number;
  /** ‖A‖_F ‖B‖_F */
  readonly length: number;
}

export async function lowRankChange(
  tools: Tools,
  base: Matrix,
  factors: readonly Factors[],
  side: "left" | "right",
): Promise<LowRankChange> {
  const { left: B, right: At } = stacked(factors);
  const [own, other] = side === "left" ? [B, At] : [At, B];
  const raw =
    side === "left"
      ? await product(tools, base, other)
      : transposedCopy(await product(tools, transposedCopy(other), base));
  const ratio = Math.sqrt(frobenius(own) / frobenius(raw));
  const c = ratio > 0 && Number.isFinite(ratio) ? 2 ** Math.round(Math.log2(ratio)) : 1;
  const left = timesNumber(own, 1 / c);
  const image = timesNumber(raw, c);
  const inner = timesNumber(
    await tools.linalg.multiply(other, other, { transposeA: true }),
    c ** 2,
  );
  return {
    ...{ left, image, inner, rank: own.columns },
    Z: joinColumns([left, image]),
    core: 1 + frobenius(inner),
    length: frobenius(own) * frobenius(other),
  };
}

/** An element of K⁻¹ = [[0, I], [I, −A Aᵀ]]. */
export function inverseCore({ rank, inner }: LowRankChange, i: number, j: number): number {
  if (i >= rank && j >= rank) return -at(inner.data, (i - rank) * rank + j - rank);
  return Number(Math.abs(i - j) === rank);
}
