/**
 * @file LoRA-GGPO: AdamW on gradients that are taken at weights with noise, so that flat minima are preferred.
 *
 * Chang, Li, Xu, Wang, Wang, Zhao, Li, "LoRA-GGPO: Mitigating Double Descent in LoRA Fine-Tuning via Gradient-Guided
 * Perturbation Optimization", 2025, https://arxiv.org/abs/2502.14538.
 *
 *   σ_i = sigma (mix ‖w_i‖ + (1 − mix) ḡ_i) / √n for row i of A and of B, n its length
 *   ḡ_i ← ema ḡ_i + (1 − ema) ‖g_i‖;  gradient at w + σ z, z ~ N(0, I), step from w
 *
 * The formula follows the abstract's words, noise guided by the norms of weights and of gradients; the paper's constants
 * were not to be had, and it perturbs the merged weight where this perturbs the pair, which is what a pair's step can see.
 * Noise is drawn again from the seed, the step and the tensor; measurements see none.
 *
 *   m, v as AdamW's; ema [rows, 1] of A and of B
 */
import { number } from "../../shared/schema.ts";
import { adamFields, adamNumbers, adamStep } from "./adam-step.ts";
import { defineUpdateRule } from "./define.ts";
import { at, invariant } from "../../shared/errors.ts";

export const loraGgpo = defineUpdateRule({
  name: "lora_ggpo",
  title: "LoRA-GGPO",
  doc: "AdamW whose gradients are taken with noise on A and B, larger where weights and gradients are: it prefers flat minima.",
  equation:
    "AdamW on g = ∇L(w + σ z), σ_i = sigma (mix ‖w_i‖ + (1 − mix) ‖g_i‖) / √n of row i, z normal",
  use: "Choose it where LoRA overfits and flat minima are wanted.",
  paperTitle:
    "LoRA-GGPO: Mitigating Double Descent in LoRA Fine-Tuning via Gradient-Guided Perturbation Optimization",
  paper: "https://arxiv.org/abs/2502.14538",
  config: {
    sigma: number({ default: 0.03, min: 0, doc: "Size of the noise; 0 is AdamW." }),
    mix: number({
      default: 0.5,
      min: 0,
      max: 1,
      doc: "Share of the weights' norms in the noise; the gradients' have the rest.",
    }),
    ema: number({ default: 0.9, min: 0, below: 1, doc: "Decay of the average of gradient norms." }),
    ...adamFields,
  },
  axes: { U: "AdamW, gradient at weights with noise" },
  state: ["m", "v"],
  numbers: (config, step) => ({ ...adamNumbers(config, step) }),
  step: (g, inputs, config) => adamStep(g, inputs, config),
  noise: {
    takes: ({ pair }) => pair?.role === "A" || pair?.role === "B",
    state: ({ shape }) => ({ ema: [at(shape, 0), 1] }),
    deviations(weight, state, { sigma, mix }) {
      const ema = emaOf(state);
      const width = weight.length / ema.length;
      const norms = rowNorms(weight, ema.length);
      return ema.map(
        (gradient, row) =>
          (sigma * (mix * at(norms, row) + (1 - mix) * gradient)) / Math.sqrt(width),
      );
    },
    observe(gradient, state, { ema: keep }) {
      const ema = emaOf(state);
      const norms = rowNorms(gradient, ema.length);
      ema.forEach((value, row) => (ema[row] = keep * value + (1 - keep) * at(norms, row)));
    },
  },
});

function emaOf(state: ReadonlyMap<string, Float32Array>): Float32Array {
  const ema = state.get("ema");
  invariant(ema, "the noise has lost its average");
  return ema;
}

function rowNorms(values: Float32Array, rows: number): readonly number[] {
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += (values[i] ?? 0) ** 2;
    return Math.sqrt(sum);
  });
}
