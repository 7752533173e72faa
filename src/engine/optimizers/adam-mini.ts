/**
 * @file Adam-mini: one average of squares for each block of a weight instead of each element.
 *
 * Zhang, Chen, Li, Ding, Wu, Kingma, Ye, Luo, Sun, "Adam-mini: Use Fewer Learning Rates To Gain More", 2024,
 * https://arxiv.org/abs/2406.16793.
 *
 *   m ← β₁ m + (1 − β₁) g,  v_b ← β₂ v_b + (1 − β₂) mean(g² over block b), the rest as AdamW
 *
 * Blocks are the rows of one head in queries and keys, single rows in every other matrix, the whole tensor in
 * norms; biases go by element, as in the official code. Rows of factors of a method are blocks too.
 *
 *   m [shape], v [blocks, 1]
 */
import { elementCount } from "../../shared/dtypes.ts";
import type { Shape } from "../../shared/dtypes.ts";
import { at } from "../../shared/errors.ts";
import { mul, reduceMean, reshape } from "../core/ops.ts";
import {
  adamDirection,
  adamFields,
  adamMoments,
  adamNumbers,
  adamStep,
  adamWeight,
} from "./adam-step.ts";
import { defineUpdateRule, read } from "./define.ts";
import type { TensorFacts } from "./define.ts";

export const adamMini = defineUpdateRule({
  name: "adam_mini",
  title: "Adam-mini",
  doc: "AdamW that averages the squared gradient over heads and rows: half of its state falls away.",
  equation: "m ← β₁ m + (1 − β₁) g, v_b ← β₂ v_b + (1 − β₂) mean(g²) for each block b",
  use: "Choose it for full fine-tuning where AdamW's second state does not fit.",
  paperTitle: "Adam-mini: Use Fewer Learning Rates To Gain More",
  paper: "https://arxiv.org/abs/2406.16793",
  config: adamFields,
  axes: { U: "Adam with one rate for each block" },
  evidence: "reference",
  state: ["m", "v"],
  numbers: (config, step) => ({ ...adamNumbers(config, step) }),
  step: (g, inputs, config) => adamStep(g, inputs, config),
  matrix: {
    takes: ({ shape, kind }) => shape.length > 1 || kind === "norm",
    state: (tensor) => ({ m: tensor.shape, v: [blocksOf(tensor), 1] }),
    step(g, { weight, gradient, state, numbers }, { betas, eps }, tensor) {
      const blocks = blocksOf(tensor);
      const inBlocks: Shape = [blocks, elementCount(tensor.shape) / blocks];
      const rows = reshape(g, gradient, inBlocks);
      const own = { m: reshape(g, read(state, "m"), inBlocks), v: read(state, "v") };
      const moments = adamMoments(g, own, rows, betas, reduceMean(g, mul(g, rows, rows), [1]));
      const direction = reshape(g, adamDirection(g, moments, numbers, eps), tensor.shape);
      return {
        weight: adamWeight(g, weight, direction, numbers),
        state: { m: reshape(g, moments.m, tensor.shape), v: moments.v },
      };
    },
  },
});

function blocksOf({ shape, headRows }: TensorFacts): number {
  if (shape.length < 2) return 1;
  const rows = at(shape, 0);
  return headRows !== undefined && rows % headRows === 0 ? rows / headRows : rows;
}
