/**
 * @file Full fine-tuning: every tensor of the model trains.
 *
 * Howard, Ruder, "Universal Language Model Fine-tuning for Text Classification", 2018,
 * https://arxiv.org/abs/1801.06146.
 *
 *   W' = W + ΔW, ΔW free
 */
import { defineTensorMethod } from "./define.ts";

export const full = defineTensorMethod({
  name: "full",
  title: "Full fine-tuning",
  doc: "Trains every tensor of the model in place: the most that can change, at the price of gradients and optimizer state for all of it.",
  equation: "W' = W + ΔW, ΔW free",
  use: "Choose it where memory allows it and the task is far from what the model knows.",
  paperTitle: "Universal Language Model Fine-tuning for Text Classification",
  paper: "https://arxiv.org/abs/1801.06146",
  config: {},
  noQuantizedBase: "it trains the weights themselves",
  axes: { P: "whole tensors", E: "merged only" },
  selects: () => true,
});
