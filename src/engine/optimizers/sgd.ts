/**
 * @file SGD with momentum, as PyTorch computes it.
 *
 * Robbins, Monro, "A Stochastic Approximation Method", 1951, https://doi.org/10.1214/aoms/1177729586.
 *
 *   u ← μ u + g + λ w,  w ← w − lr u
 *
 * At the first step PyTorch sets u = g, which is the same as starting from u = 0.
 */
import { number } from "../../shared/schema.ts";
import { add, mul, scale, sub } from "../core/ops.ts";
import { defineUpdateRule, read } from "./define.ts";

export const sgd = defineUpdateRule({
  name: "sgd",
  title: "SGD",
  doc: "Steps against the gradient, with a share of the last step where `momentum` is set.",
  equation: "w ← w − lr (μ u + g), u the momentum",
  use: "Choose it where state must be small and the learning rate can be searched.",
  paperTitle: "A Stochastic Approximation Method",
  paper: "https://doi.org/10.1214/aoms/1177729586",
  axes: { U: "along the gradient, with momentum" },
  config: {
    momentum: number({
      default: 0,
      min: 0,
      below: 1,
      doc: "Share of the last update that is kept.",
    }),
    weight_decay: number({
      default: 0,
      min: 0,
      doc: "Added to the gradient in proportion to the weight; biases and norms are left out.",
    }),
  },
  state: ["momentum"],
  numbers: ({ weight_decay }, { lr, decays }) => ({ rate: lr, decay: decays ? weight_decay : 0 }),
  step(g, { weight, gradient, state, numbers }, { momentum }) {
    const decayed = add(g, gradient, mul(g, weight, read(numbers, "decay")));
    const velocity = add(g, scale(g, read(state, "momentum"), momentum), decayed);
    return {
      weight: sub(g, weight, mul(g, velocity, read(numbers, "rate"))),
      state: { momentum: velocity },
    };
  },
});
