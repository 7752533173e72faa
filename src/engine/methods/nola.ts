/**
 * @file NOLA: both factors of the pair are sums of frozen random matrices, of which only the coefficients train.
 *
 * Koohpayegani, Navaneet, Nooralinejad, Kolouri, Pirsiavash, "NOLA: Compressing LoRA using Linear Combination of Random
 * Basis", 2023, https://arxiv.org/abs/2310.02556.
 *
 *   A = A₀ + Σ_k α_k Ā_k,   B = Σ_k β_k B̄_k,   W' = W + s B A,   s = alpha / r
 *
 *   start [r, in]             frozen, drawn from the seed, Kaiming uniform with a = √5
 *   basisA [basis, r in]      frozen, drawn from the seed, U(±1 / √basis)
 *   basisB [basis, out r]     frozen, drawn from the seed, the same
 *   a [1, basis], b [1, basis]  trained, zeros
 *
 * A₀ is the official code's for LLaMA: without it no gradient would reach b at step 0. Sites of one size share their
 * bases, so that memory holds them once; the official code draws them anew for each layer at each use.
 */
import { int, number } from "../../shared/schema.ts";
import { add, matmul, reshape } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";

export const nola = defineLinearMethod({
  name: "nola",
  title: "NOLA",
  doc: "Trains coefficients of random matrices that add up to a pair: their number is chosen apart from rank and layer size.",
  equation: "W' = W + s (Σ β_k B_k) (A₀ + Σ α_k A_k), bases random",
  use: "Choose it where the number of trained numbers must not depend on the layer's size.",
  paperTitle: "NOLA: Compressing LoRA using Linear Combination of Random Basis",
  paper: "https://arxiv.org/abs/2310.02556",
  axes: {
    P: "combination of random pairs",
    I: "seeded bases",
    X: "bases shared by sites of a size",
    E: "plain LoRA",
  },
  config: {
    r: int({ default: 8, min: 1, doc: "Rank of the update B A.", aliases: ["rank"] }),
    alpha: number({ default: 16, above: 0, doc: "Scale: W' = W + (alpha / r) B A." }),
    basis: int({
      default: 128,
      min: 1,
      doc: "Random matrices for each factor, and coefficients trained for each.",
      aliases: ["nola_num_basis"],
    }),
  },
  params({ in: n, out: m }, { r, basis }) {
    const frozen = { trains: false, stored: false } as const;
    const init = { uniform: 1 / Math.sqrt(basis) };
    return {
      start: {
        shape: [r, n],
        init: { kaimingUniform: Math.sqrt(5) },
        ...frozen,
        key: `start.${r}.${n}`,
      },
      basisA: { shape: [basis, r * n], init, ...frozen, key: `A.${r}.${n}` },
      basisB: { shape: [basis, m * r], init, ...frozen, key: `B.${r}.${m}` },
      a: { shape: [1, basis], init: "zeros" },
      b: { shape: [1, basis], init: "zeros" },
    };
  },
  pair: (g, { start, basisA, basisB, a, b }, { r, alpha }, { in: n, out: m }) => ({
    A: add(g, start, reshape(g, matmul(g, a, basisA), [r, n])),
    B: reshape(g, matmul(g, b, basisB), [m, r]),
    scale: alpha / r,
  }),
});
