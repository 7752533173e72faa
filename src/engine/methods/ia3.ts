/**
 * @file IA³: each output, or each input of a feed-forward layer's end, is scaled by a trained number.
 *
 * Liu, Tam, Muqeeth, Mohta, Huang, Bansal, Raffel, "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than
 * In-Context Learning", 2022, https://arxiv.org/abs/2205.05638.
 *
 *   y = l ⊙ (x Wᵀ + b)   or, for `feedforward_modules`,   y = (l ⊙ x) Wᵀ + b
 *
 *   l [out, 1] or [1, in]  trained, ones
 */
import { list, text } from "../../shared/schema.ts";
import { mul, reshape } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";
import { lastPart } from "../models/module-names.ts";

export const ia3 = defineLinearMethod({
  name: "ia3",
  title: "IA³",
  doc: "Trains one scale for each output of a layer, or for each input where it ends a feed-forward block: very few parameters, and nothing to add up.",
  equation: "y = l ⊙ (x Wᵀ + b), or (l ⊙ x) Wᵀ + b at the end of a feed-forward network",
  use: "Choose it for few examples, where a few thousand numbers are enough.",
  paperTitle:
    "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning",
  paper: "https://arxiv.org/abs/2205.05638",
  axes: { P: "scales of activations", E: "adapter of peft" },
  config: {
    feedforward_modules: list(text({ form: "module", doc: "A module's name." }), {
      default: ["down_proj", "c_proj", "fc2", "dense_4h_to_h"],
      single: true,
      doc: "Modules whose inputs are scaled, and not their outputs.",
    }),
  },
  peft: {
    type: "IA3",
    tensors: { l: "ia3_l" },
    // peft wants them among the targets.
    fields: ({ feedforward_modules: ends }, { targets, fanInFanOut }) => ({
      fan_in_fan_out: fanInFanOut,
      feedforward_modules: targets.filter(
        (name) => Array.isArray(ends) && ends.includes(lastPart(name)),
      ),
      init_ia3_weights: true,
    }),
    read: ({ feedforward_modules: ends }) => ({
      config: { feedforward_modules: lastNames(ends) },
      unknown: typeof ends === "string" ? "feedforward_modules" : undefined,
    }),
  },
  params: ({ in: n, out: m, kind }, { feedforward_modules: ends }) => ({
    l: { shape: ends.includes(kind) ? [1, n] : [m, 1], init: "ones" },
  }),
  weight: (g, W, { l }) => mul(g, W, l),
  forward(g, x, base, { l }) {
    const [rows = 1] = l.shape;
    return rows === 1
      ? base.apply(g, mul(g, x, l))
      : mul(g, base.apply(g, x), reshape(g, l, [rows]));
  },
  bias: (g, b, { l }) => (l.shape[0] === 1 ? b : mul(g, b, reshape(g, l, b.shape))),
});

function lastNames(names: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(names) ? names : [];
  return [...new Set(all.map((name) => String(name).replace(/^.*\./u, "")))];
}
