/**
 * @file AdamW: Adam with weight decay apart from the gradient, as PyTorch computes it.
 *
 * Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2017, https://arxiv.org/abs/1711.05101.
 *
 *   m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²
 *   w ← (1 − lr λ) w − lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 */
import { adamFields, adamNumbers, adamStep } from "./adam-step.ts";
import { defineUpdateRule } from "./define.ts";

export const adamw = defineUpdateRule({
  name: "adamw",
  title: "AdamW",
  doc: "Divides a running average of the gradient by that of its square, and shrinks the weights apart from it.",
  equation: "w ← w − lr (m̂ / (√v̂ + ε) + λ w)",
  use: "Choose it first: all methods' defaults are made for it.",
  paperTitle: "Decoupled Weight Decay Regularization",
  paper: "https://arxiv.org/abs/1711.05101",
  config: adamFields,
  axes: { U: "AdamW" },
  state: ["m", "v"],
  numbers: (config, step) => ({ ...adamNumbers(config, step) }),
  step: (g, inputs, config) => adamStep(g, inputs, config),
});
