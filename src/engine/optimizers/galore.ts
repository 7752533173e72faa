/**
 * @file GaLore: Adam on the gradient of each matrix projected on its top singular vectors.
 *
 * Zhao, Zhang, Chen, Wang, Anandkumar, Tian, "GaLore: Memory-Efficient LLM Training by Gradient Low-Rank Projection",
 * 2024, https://arxiv.org/abs/2403.03507.
 *
 *   out ≥ in: P = top right vectors [r, in] of g, R = g Pᵀ;  else P = top left ones [out, r], R = Pᵀ g
 *   m, v: averages of R and R²;  w ← w − lr √(1 − β₂ᵗ)/(1 − β₁ᵗ) · scale · back(m / (√v + ε)), then w ← (1 − lr λ) w
 *
 * P is found anew each `update_proj_gap` steps; m and v stay as they are then, as in the official code. Weights in the
 * layers are projected; all else, the head too, takes the same Adam by element.
 */
import { defineUpdateRule } from "./define.ts";
import { projectedFields, projectedMatrix, projectedRule, projectedStep } from "./projected.ts";

export const galore = defineUpdateRule({
  name: "galore",
  title: "GaLore",
  doc: "Adam whose state lives in the gradient's top singular directions: full fine-tuning with a fraction of its state.",
  equation: "w ← w − lr · scale · P (m / (√v + ε)), m and v of Pᵀ g",
  use: "Choose it for full fine-tuning with little state, where all weights should move.",
  paperTitle: "GaLore: Memory-Efficient LLM Training by Gradient Low-Rank Projection",
  paper: "https://arxiv.org/abs/2403.03507",
  config: projectedFields,
  axes: { U: "Adam on a projected gradient" },
  evidence: "reference",
  ...projectedRule,
  matrix: { ...projectedMatrix, step: projectedStep },
});
