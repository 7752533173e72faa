/**
 * @file RandLoRA: a sum of scaled random pairs that reaches the full rank.
 *
 * Albert, Zhang, Rodriguez, Saratchandran, Gulrajani, Abbasnejad, "RandLoRA: Full-rank parameter-efficient fine-tuning of
 * large models", 2025, https://arxiv.org/abs/2502.00987.
 *
 *   W' = W + s Σ_n B_n diag(λ_n) A diag(γ_n),   n = 1 … N = ⌈min(in, out) / r⌉,   s = alpha / r
 *
 *   A [r, short]      frozen, drawn from the seed and shared by all sites, of deviation 1
 *   B [long, N, r]    frozen, drawn from the seed and shared by all sites, of deviation 1
 *   lambda [r, N]     trained, zeros
 *   gamma [N, short]  trained, 1 / max(N, short)
 *
 * A is on the site's shorter side: where that is the output, the sum is transposed. Smaller sites take the first entries.
 * The bases are uniform, as in peft without `sparse`; peft pairs them in another order, which for random bases is the
 * same method.
 */
import { int, number } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { matrixTranspose, mul, reshape, slice, transpose } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";

/** Of deviation 1. */
const init = { uniform: Math.sqrt(3) } as const;

export const randlora = defineLinearMethod({
  name: "randlora",
  title: "RandLoRA",
  doc: "Trains the scales of as many random pairs as make the update one of full rank; the pairs are shared by all layers and drawn again from the seed.",
  paperTitle: "RandLoRA: Full-rank parameter-efficient fine-tuning of large models",
  paper: "https://arxiv.org/abs/2502.00987",
  axes: {
    P: "sum of scaled pairs",
    I: "seeded bases",
    X: "bases shared by all sites",
    E: "plain LoRA",
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
    // [bases, r, short]: A's rows scaled by each γ_n.
    const inner = mul(
      g,
      reshape(g, slice(g, A, 1, 0, short), [1, r, short]),
      reshape(g, gamma, [bases, 1, short]),
    );
    const near = reshape(g, inner, [rank, short]);
    const far = outer(g, B, lambda, Math.max(n, m), bases, r);
    const scale = alpha / r;
    return n <= m
      ? { A: near, B: far, scale }
      : { A: matrixTranspose(g, far), B: matrixTranspose(g, near), scale };
  },
});

/** [long, bases · r]: columns of B scaled by λ. */
function outer(g: Graph, B: Value, lambda: Value, long: number, bases: number, r: number): Value {
  const own = slice(g, slice(g, B, 0, 0, long), 1, 0, bases);
  const scaled = mul(g, own, reshape(g, transpose(g, lambda, [1, 0]), [1, bases, r]));
  return reshape(g, scaled, [long, bases * r]);
}
