/** @file How many singular values of W₀ + B A lie above a number, from an SVD of W₀ that was kept: no factorisation of W's size. */
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";
import type { Proves } from "./known-gaps.ts";
import { inverseCore, type LowRankChange } from "./low-rank-change.ts";
import { frobenius, product, type Tools } from "./products.ts";
import type { KeptSvd } from "./source.ts";

/**
 * W Wᵀ = G + Z K Zᵀ with G = W₀W₀ᵀ = U Λ Uᵀ, Z = [L P], L = B, P = W₀Aᵀ, K = [[A Aᵀ, I], [I, 0]], of inertia
 * (r, 0, r). By both Schur complements of [[G − μ I, Z], [Zᵀ, −K⁻¹]] (Haynsworth)
 * n₊(W Wᵀ − μ I) = n₊(Λ − μ) + n₊(S) − r with S = −K⁻¹ − Zᵀ(G − μ I)⁻¹ Z [2r, 2r]. U is within 8 n 2⁻⁵³ of orthogonal
 * and of its matrix; what that and the products move S by must be less than each of its eigenvalues.
 */
export async function provesByKept(
  tools: Tools,
  { rows, columns }: Matrix,
  norm: number,
  { left: U, sigma }: KeptSvd,
  change: LowRankChange,
): Promise<Proves> {
  const { linalg } = tools;
  const { Z, rank: r, length } = change;
  const Y = await product(tools, U, Z);
  const ZZ = await linalg.multiply(Z, Z, { transposeA: true });
  const long = Math.max(rows, columns);
  const size = norm + length;
  const isWhole = U.rows === rows;
  return async ({ p, t }) => {
    const mu = t * t;
    const apart = sigma.map((value) => (value - t) * (value + t));
    // Where U is not square, every other direction has the eigenvalue 0.
    const rest = isWhole ? 0 : 1 / mu;
    const weighted = Y.data.map((y, i) => y * (1 / at(apart, Math.floor(i / Y.columns)) + rest));
    const S = await linalg.multiply(Y, { ...Y, data: weighted }, { transposeA: true });
    for (let i = 0; i < 2 * r; i++)
      for (let j = 0; j < 2 * r; j++) {
        const own = i * 2 * r + j;
        S.data[own] = rest * at(ZZ.data, own) - at(S.data, own) - inverseCore(change, i, j);
      }
    const nearest = apart.reduce((least, value) => Math.min(least, Math.abs(value)), Infinity);
    const values = await linalg.eigenvalues(S);
    const doubt =
      2 ** -53 * (64 * long * (1 / nearest + rest) * frobenius(Z) ** 2 + 32 * r * frobenius(S));
    if (nearest === 0 || !values.every((value) => Math.abs(value) > doubt)) return undefined;
    const positive = (list: Float64Array) => list.reduce((n, value) => n + Number(value > 0), 0);
    const rounding = 2 ** -53 * 64 * long * size ** 2;
    const count = positive(apart) + positive(values) - r;
    return count <= p && rounding < 1e-6 * mu ? mu + rounding : undefined;
  };
}
