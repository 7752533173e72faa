/**
 * @file LoRA: a low-rank update beside each frozen weight.
 *
 * Hu, Shen, Wallis, Allen-Zhu, Li, Wang, Wang, Chen, "LoRA: Low-Rank Adaptation of Large Language Models",
 * 2021, https://arxiv.org/abs/2106.09685.
 *
 *   W' = W + s B A,   s = alpha / r, or alpha / √r with `use_rslora`
 *   (Kalajdzievski, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA", 2023, https://arxiv.org/abs/2312.03732)
 *
 *   A [r, in]   trained, Kaiming uniform with a = √5, as peft starts it (the paper says normal)
 *   B [out, r]  trained, zeros
 */
import { bool, int, number } from "../../shared/schema.ts";
import { defineLinearMethod } from "./define.ts";

export const lora = defineLinearMethod({
  name: "lora",
  title: "LoRA",
  doc: "Trains a product of two thin matrices beside each frozen weight, which can be added to the weight afterwards.",
  equation: "W' = W + (alpha / r) B A",
  use: "Choose it first: well understood, read everywhere, and what the others are measured against.",
  paperTitle: "LoRA: Low-Rank Adaptation of Large Language Models",
  paper: "https://arxiv.org/abs/2106.09685",
  config: {
    r: int({
      default: 8,
      min: 1,
      doc: "Rank of the update B A.",
      aliases: ["lora_r", "lora_rank", "rank"],
    }),
    alpha: number({
      default: 16,
      above: 0,
      doc: "Scale: W' = W + (alpha / r) B A.",
      aliases: ["lora_alpha"],
    }),
    use_rslora: bool({ default: false, doc: "Scale by alpha / √r instead of alpha / r." }),
  },
  peft: { type: "LORA", tensors: { A: "lora_A.weight", B: "lora_B.weight" } },
  params: ({ in: n, out: m }, { r }) => ({
    A: { shape: [r, n], init: { kaimingUniform: Math.sqrt(5) } },
    B: { shape: [m, r], init: "zeros" },
  }),
  pair: (_g, { A, B }, config) => ({ A, B, scale: scaling(config) }),
  roles: { A: "A", B: "B" },
  axes: { P: "low-rank pair", E: "adapter of peft" },
  evidence: "reference",
});

/** s of a pair under these fields. */
export function scaling({
  r,
  alpha,
  use_rslora,
}: {
  readonly r: number;
  readonly alpha: number;
  readonly use_rslora: boolean;
}): number {
  return alpha / (use_rslora ? Math.sqrt(r) : r);
}
