/**
 * @file RandLoRA: a sum of scaled random pairs that reaches the full rank.
 *
 * Albert, Zhang, Rodriguez, Saratchandran, Gulrajani, Abbasnejad, "RandLoRA: Full-rank parameter-efficient fine-tuning of
 * large models", 2025, https://arxiv.org/abs/2502.00987.
 *
 *   W' = W + s Σ_t B_t λ_kn A_k diag(γ_n),   k = 1 … r,   n = 1 … N = ⌈min(in, out) / r⌉,   s = alpha / r
 *
 *   A [r, short]      frozen, drawn from the seed and shared by all sites, of deviation 1
 *   B [long, N, r]    frozen, drawn from the seed and shared by all sites, of deviation 1
 *   lambda [r, N]     trained, zeros
 *   gamma [N, short]  trained, 1 / max(N, short)
 *
 * A is on the site's shorter side: where that is the output, the sum is transposed. Smaller sites take the first entries.
 * The bases are uniform, as in peft without `sparse`. As there, the t-th of all N r rank-one parts takes its row of A in
 * the order of (k, n) and its column of B in that of (n, k); the paper's sums take (n, k) on both sides, which for random
 * bases is the same method.
 */
import { int, number } from "../../shared/schema.ts";
import { matrixTranspose, mul, reshape, slice } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";

/** Of deviation 1. */
const init = { uniform: Math.sqrt(3) } as const;

export const randlora = defineLinearMethod({
  name: "randlora",
  title: "RandLoRA",
  doc: "Trains the scales of as many random pairs as make the update one of full rank; the pairs are shared by all layers and drawn again from the seed.",
  equation: "W' = W + s Σ B_n Λ_n A Γ_n over random pairs that span the full rank",
  use: "Choose it where LoRA's rank is the limit and memory for a LoRA of that rank is not there.",
  paperTitle: "RandLoRA: Full-rank parameter-efficient fine-tuning of large models",
  paper: "https://arxiv.org/abs/2502.00987",
  axes: {
    P: "sum of scaled pairs",
    I: "seeded bases",
    X: "bases shared by all sites",
    E: "adapter of peft",
  },
  config: {
    r: int({
      default: 32,
      min: 1,
      doc: "Rank of each random pair: a larger one needs fewer pairs and trains less.",
      aliases: ["rank"],
    }),
    alpha: number({ default: 640, above: 0, doc: "Scale: the sum is multiplied by alpha / r." }),
  },
  peft: {
    type: "RANDLORA",
    tensors: { lambda: "randlora_lambda", gamma: "randlora_gamma" },
    // peft's own generator is another: the bases go with the adapter, once, where peft saves them for each module too and
    // tells of those as missing.
    shared: { A: "randlora_A", B: "randlora_B" },
    shapeOf: (param, shape) =>
      param === "A" ? [...shape.slice(0, 1), 1, ...shape.slice(1)] : shape,
    fields: ({ r, alpha }, { fanInFanOut }) => ({
      fan_in_fan_out: fanInFanOut,
      r,
      randlora_alpha: alpha,
      projection_prng_key: 0,
      save_projection: true,
      sparse: false,
      very_sparse: false,
      randlora_dropout: 0,
      bias: "none",
      init_weights: true,
    }),
    read: ({ r, randlora_alpha: alpha }) => ({ config: { r, alpha } }),
  },
  params({ in: n, out: m, most }, { r }) {
    const short = Math.min(n, m);
    const bases = Math.ceil(short / r);
    const shortest = Math.min(most.in, most.out);
    const longest = Math.max(most.in, most.out);
    const frozen = { init, trains: false, stored: false } as const;
    return {
      A: { shape: [r, shortest], ...frozen, key: "A" },
      B: { shape: [longest, Math.ceil(shortest / r), r], ...frozen, key: "B" },
      lambda: { shape: [r, bases], init: "zeros" },
      gamma: { shape: [bases, short], init: { constant: 1 / Math.max(bases, short) } },
    };
  },
  pair(g, { A, B, lambda, gamma }, { r, alpha }, { in: n, out: m }) {
    const [bases = 1, short = 1] = gamma.shape;
    const rank = bases * r;
    // [r, bases, short]: each row of A scaled by each γ_n and by its λ.
    const rows = mul(
      g,
      reshape(g, slice(g, A, 1, 0, short), [r, 1, short]),
      reshape(g, gamma, [1, bases, short]),
    );
    const near = reshape(g, mul(g, rows, reshape(g, lambda, [r, bases, 1])), [rank, short]);
    const long = slice(g, B, 0, 0, Math.max(n, m));
    const far = reshape(g, slice(g, long, 1, 0, bases), [Math.max(n, m), rank]);
    const scale = alpha / r;
    return n <= m
      ? { A: near, B: far, scale }
      : { A: matrixTranspose(g, far), B: matrixTranspose(g, near), scale };
  },
});
