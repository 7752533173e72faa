/**
 * @file LOMO: SGD that updates each layer in the backward pass and frees its gradient at once.
 *
 * Lv, Yang, Liu, Gao, Guo, Qiu, "Full Parameter Fine-tuning for Large Language Models with Limited Resources", 2023,
 * https://arxiv.org/abs/2306.09782.
 *
 *   w ← w − lr g, as soon as g is complete
 *
 * Gradients of one block exist at a time, in memory that all blocks share; tensors that several blocks share wait for
 * the last. `train.max_grad_norm` takes a backward pass of its own for the norm. There is no state and no accumulation.
 */
import { mul, sub } from "../core/ops.ts";
import { defineUpdateRule, read } from "./define.ts";

export const lomo = defineUpdateRule({
  name: "lomo",
  title: "LOMO",
  doc: "SGD inside the backward pass: no state, and gradients of one layer at a time.",
  equation: "w ← w − lr g as soon as g is complete",
  use: "Choose it for full fine-tuning where not even all gradients fit at once.",
  paperTitle: "Full Parameter Fine-tuning for Large Language Models with Limited Resources",
  paper: "https://arxiv.org/abs/2306.09782",
  config: {},
  axes: { U: "SGD in the backward pass" },
  state: [],
  numbers: (_config, { lr }) => ({ rate: lr }),
  step: (g, { weight, gradient, numbers }) => ({
    weight: sub(g, weight, mul(g, gradient, read(numbers, "rate"))),
    state: {},
  }),
  gradients: "consumed",
});
