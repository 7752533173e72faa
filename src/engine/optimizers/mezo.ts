/**
 * @file MeZO: fine-tuning with forward passes alone, in the memory of inference.
 *
 * Malladi, Gao, Nichani, Damian, Lee, Chen, Arora, "Fine-Tuning Language Models with Just Forward Passes", 2023,
 * https://arxiv.org/abs/2305.17333.
 *
 *   z ~ N(0, I);  d = (L(w + ε z) − L(w − ε z)) / (2 ε);  w ← w − lr (d z + λ w)
 *
 * z is drawn again from the run's seed, the step and the tensor's name wherever it is needed, and never stored. Losses
 * are measured without dropout. λ leaves out biases and norms.
 */
import { number } from "../../shared/schema.ts";
import { add, mul, sub } from "../core/ops.ts";
import { defineUpdateRule, read } from "./define.ts";

export const mezo = defineUpdateRule({
  name: "mezo",
  title: "MeZO",
  doc: "Estimates the slope along a random direction from two forward passes and steps along it: training in the memory of inference, with far more steps.",
  equation: "w ← w − lr z (L(w + ε z) − L(w − ε z)) / (2 ε), z normal",
  use: "Choose it where memory is that of inference, and many steps are no matter.",
  paperTitle: "Fine-Tuning Language Models with Just Forward Passes",
  paper: "https://arxiv.org/abs/2305.17333",
  config: {
    eps: number({
      default: 1e-3,
      above: 0,
      doc: "How far the weights are moved to both sides along the random direction.",
      aliases: ["zo_eps"],
    }),
    weight_decay: number({
      default: 0,
      min: 0,
      doc: "Decay of the weights, in proportion to the learning rate; biases and norms are left out.",
    }),
  },
  axes: { U: "slope along a random direction, no backward pass" },
  state: [],
  numbers: ({ weight_decay }, { lr, decays }) => ({ rate: lr, decay: decays ? weight_decay : 0 }),
  step(g, { weight, gradient, numbers }) {
    const decayed = add(g, gradient, mul(g, weight, read(numbers, "decay")));
    return { weight: sub(g, weight, mul(g, decayed, read(numbers, "rate"))), state: {} };
  },
  estimate: ({ eps }) => ({ eps }),
});
