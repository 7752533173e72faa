/**
 * @file L4Q: a low-rank update that is merged before the weight is rounded, with scales that learn.
 *
 * Jeon, Kim, Kim, "L4Q: Parameter Efficient Quantization-Aware Fine-Tuning on Large Language Models", 2024,
 * https://arxiv.org/abs/2402.04902; scales learn as in Esser, McKinstry, Bablani, Appuswamy, Modha, "Learned Step Size Quantization", 2019,
 * https://arxiv.org/abs/1902.08153.
 *
 *   W' = s ∘ round(clip((W + (alpha / r) B A − b) / s, −2^(bits − 1), 2^(bits − 1) − 1)) + b
 *
 *   A [r, in]          trained, Kaiming uniform with a = √5
 *   B [out, r]         trained, zeros
 *   s, b [out, groups] trained, from the least and the largest weight of each group
 *
 * Gradients go through the rounding as if it were not there, and through the clipping where nothing is cut; those of s
 * and b are multiplied by 1 / √(weights of a group · 2^(bits − 1)). Known from the paper's description: its warm-up of
 * s is not. What is trained is whole numbers, scales and offsets, with no pair beside them.
 */
import { int, number } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { add, detach, div, matmul, maximum, minimum, mul, round, scalar, scale, sub } from "../core/ops.ts"; // prettier-ignore
import { defineLinearMethod } from "./define.ts";
import { eachWeightGroup, groupCount, spreadGroups } from "./weight-groups.ts";

export const l4q = defineLinearMethod({
  name: "l4q",
  title: "L4Q",
  doc: "Trains a low-rank pair and the scales of whole numbers together: the weight is rounded with the pair in it.",
  equation: "W' = s ∘ round(clip((W + (alpha / r) B A − b) / s)) + b",
  use: "Choose it where the result itself should be whole numbers, with nothing beside them.",
  paperTitle: "L4Q: Parameter Efficient Quantization-Aware Fine-Tuning on Large Language Models",
  paper: "https://arxiv.org/abs/2402.04902",
  axes: { P: "low-rank pair inside the rounding", B: "integers, learned scales", E: "merged only" },
  config: {
    r: int({ default: 4, min: 1, doc: "Rank of the update B A.", aliases: ["rank"] }),
    alpha: number({ default: 8, above: 0, doc: "Scale of the update: alpha / r." }),
    bits: int({ default: 4, min: 2, max: 8, doc: "Bits of each weight's whole number." }),
    group: int({
      default: 128,
      min: 0,
      doc: "Neighbouring inputs of an output that share a scale; 0 for all of them.",
      aliases: ["group_size"],
    }),
  },
  changesAtStart: "weights are rounded from the first step on, as they are with no update",
  mergesOnly: "its update is rounded with the weight, so that no pair can stand for it",
  params: (site, { r, group }) => {
    const shape = [site.out, groupCount(site, group)];
    return {
      A: { shape: [r, site.in], init: { kaimingUniform: Math.sqrt(5) } },
      B: { shape: [site.out, r], init: "zeros" },
      s: { shape, init: "ones" },
      b: { shape, init: "zeros" },
    };
  },
  weight(g, W, { A, B, s, b }, { r, alpha, bits, group }, site) {
    const size = group === 0 ? site.in : group;
    const share = 1 / Math.sqrt(size * 2 ** (bits - 1));
    const step = spreadGroups(g, slowed(g, s, share), group, site.in);
    const offset = spreadGroups(g, slowed(g, b, share), group, site.in);
    const whole = add(g, W, matmul(g, B, A, { alpha: alpha / r }));
    const level = div(g, sub(g, whole, offset), step);
    const [low, high] = [scalar(g, -(2 ** (bits - 1))), scalar(g, 2 ** (bits - 1) - 1)];
    const cut = minimum(g, maximum(g, level, low), high);
    const rounded = add(g, cut, detach(g, sub(g, round(g, cut), cut)));
    return add(g, mul(g, rounded, step), offset);
  },
  start: ({ bits, group }) => ({
    needs: ["weight"],
    async run(site, ctx) {
      const W = await ctx.weight("held");
      const count = site.out * groupCount(site, group);
      const [s, b] = [new Float32Array(count), new Float32Array(count)];
      eachWeightGroup(site, group, W, (index, weights) => {
        let [low, high] = [Infinity, -Infinity];
        for (const w of weights) [low, high] = [Math.min(low, w), Math.max(high, w)];
        const step = (high - low) / (2 ** bits - 1);
        s[index] = step > 0 ? step : 1;
        b[index] = low + (s[index] ?? NaN) * 2 ** (bits - 1);
      });
      return { tensors: new Map([["s", s], ["b", b]]) }; // prettier-ignore
    },
  }),
});

/** The value itself, with a part of its gradient. */
function slowed(g: Graph, x: Value, share: number): Value {
  const part = scale(g, x, share);
  return add(g, part, detach(g, sub(g, x, part)));
}
