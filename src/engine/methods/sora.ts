/**
 * @file SoRA: gates on the ranks of a pair, which a proximal step drives to zero.
 *
 * Ding, Lv, Wang, Chen, Zhou, Liu, Sun, "Sparse Low-rank Adaptation of Pre-trained Language Models", 2023,
 * https://arxiv.org/abs/2311.11696.
 *
 *   W' = W + s B diag(g) A,   s = alpha / r;   after each step g ← sign(g) max(|g| − λ, 0)
 *
 *   A [r, in]   trained, Kaiming uniform with a = √5
 *   B [out, r]  trained, zeros
 *   g [r]       trained, N(0, 1)
 *
 * λ is taken as it is; the official code has a variant that multiplies it by the learning rate, and one that trains to the
 * end for each of a growing list of λ, which a sweep over `threshold` does here.
 */
import { int, number } from "../../shared/schema.ts";
import { defineLinearMethod } from "./define.ts";

export const sora = defineLinearMethod({
  name: "sora",
  title: "SoRA",
  doc: "Trains a pair with a gate on each rank; a threshold after each step closes the gates that are of little use.",
  equation: "W' = W + s B diag(g) A, g ← sign(g) max(|g| − λ, 0) after each step",
  use: "Choose it where the rank should find itself, from a largest one down.",
  paperTitle: "Sparse Low-rank Adaptation of Pre-trained Language Models",
  paper: "https://arxiv.org/abs/2311.11696",
  axes: { P: "low-rank pair with gates", R: "proximal", E: "plain LoRA" },
  config: {
    r: int({ default: 8, min: 1, doc: "Ranks at the start.", aliases: ["rank"] }),
    alpha: number({ default: 16, above: 0, doc: "Scale: W' = W + (alpha / r) B diag(g) A." }),
    threshold: number({
      default: 0.001,
      min: 0,
      doc: "What is taken off each gate's size after a step.",
      aliases: ["sparse_lambda_2"],
    }),
  },
  params: ({ in: n, out: m }, { r }) => ({
    A: { shape: [r, n], init: { kaimingUniform: Math.sqrt(5) } },
    B: { shape: [m, r], init: "zeros" },
    g: { shape: [r], init: { normal: 1 } },
  }),
  pair: (_g, { A, B, g }, { r, alpha }) => ({ A, B, core: g, scale: alpha / r }),
  hooks: ({ threshold }) => ({
    afterStep(sites) {
      for (const { tensor } of sites) {
        const { weight } = tensor("g");
        weight.forEach((gate, k) => {
          weight[k] = Math.sign(gate) * Math.max(Math.abs(gate) - threshold, 0);
        });
      }
    },
  }),
});
