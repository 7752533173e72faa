/**
 * @file Trainable norms: the weights and biases of every normalisation train in place.
 *
 * Zhao, Tu, Wei, Mei, Xie, "Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning", 2023,
 * https://arxiv.org/abs/2312.11420; LN_TUNING in peft.
 *
 *   w' = w + Δw, b' = b + Δb for each norm's weight w and bias b, both free
 */
import { defineTensorMethod } from "./define.ts";

export const norms = defineTensorMethod({
  name: "norms",
  title: "Trainable norms",
  doc: "Trains the weights and biases of every normalisation in place: a few thousand numbers, with no cost in generation.",
  equation: "w' = w + Δw and b' = b + Δb of each normalisation",
  use: "Choose it for a small change at almost no cost, or beside another method.",
  paperTitle: "Tuning LayerNorm in Attention: Towards Efficient Multi-Modal LLM Finetuning",
  paper: "https://arxiv.org/abs/2312.11420",
  config: {},
  selects: ({ role, ofNorm }) => role === "norm" || ofNorm === true,
  peft: { type: "LN_TUNING", part: "ln_tuning_layers" },
  axes: { P: "norms in place", E: "adapter of peft" },
});
