/**
 * @file AdamW: Adam with weight decay apart from the gradient, as PyTorch computes it.
 *
 * Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2017, https://arxiv.org/abs/1711.05101.
 *
 *   m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
 *   w ← (1 − lr λ) w − lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 */
import { list, number } from "../../shared/schema.ts";
import { at } from "../../shared/errors.ts";
import { add, div, mul, scalar, scale, sqrt, sub } from "../core/ops.ts";
import { defineUpdateRule, read } from "./define.ts";

export const adamw = defineUpdateRule({
  name: "adamw",
  title: "AdamW",
  doc: "Divides a running average of the gradient by that of its square, and shrinks the weights apart from it.",
  paperTitle: "Decoupled Weight Decay Regularization",
  paper: "https://arxiv.org/abs/1711.05101",
  config: {
    betas: list(number({ min: 0, below: 1, doc: "Decay of a running average." }), {
      default: [0.9, 0.999],
      minLength: 2,
      maxLength: 2,
      doc: "Decay of the running averages of the gradient and of its square.",
    }),
    eps: number({
      default: 1e-8,
      above: 0,
      doc: "Added to the denominator.",
      aliases: ["adam_epsilon"],
    }),
    weight_decay: number({
      default: 0,
      min: 0,
      doc: "Decay of the weights, in proportion to the learning rate; biases and norms are left out, as in transformers.",
    }),
  },
  state: ["m", "v"],
  numbers: ({ betas, weight_decay }, { t, lr, decays }) => ({
    keep: 1 - (decays ? lr * weight_decay : 0),
    rate: lr / (1 - at(betas, 0) ** t),
    correction: 1 / Math.sqrt(1 - at(betas, 1) ** t),
  }),
  step(g, { weight, gradient, state, numbers }, { betas, eps }) {
    const [beta1, beta2] = [at(betas, 0), at(betas, 1)];
    const m = add(g, scale(g, read(state, "m"), beta1), scale(g, gradient, 1 - beta1));
    const v = add(
      g,
      scale(g, read(state, "v"), beta2),
      scale(g, mul(g, gradient, gradient), 1 - beta2),
    );
    const denominator = add(g, mul(g, sqrt(g, v), read(numbers, "correction")), scalar(g, eps));
    const update = mul(g, div(g, m, denominator), read(numbers, "rate"));
    return { weight: sub(g, mul(g, weight, read(numbers, "keep")), update), state: { m, v } };
  },
});
