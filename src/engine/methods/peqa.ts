/**
 * @file PEQA: of a quantized weight only the scales train, the whole numbers stay.
 *
 * Kim, Lee, Kim, Park, Yoo, Kwon, Lee, "Memory-Efficient Fine-Tuning of Compressed Large Language Models via sub-4-bit
 * Integer Quantization", 2023, https://arxiv.org/abs/2305.14152.
 *
 *   W' = t ∘ s (q − z),   W = s (q − z) as a base on a uniform grid is held
 *
 *   t [out, groups]  trained, ones: (s + Δs) / s of each scale
 *
 * `group` is the base's (`rtn`, `gptq` and others), so that each of its scales has one t.
 */
import { int } from "../../shared/schema.ts";
import { matmul, mul, reshape } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";
import { groupCount, spreadGroups } from "./weight-groups.ts";

export const peqa = defineLinearMethod({
  name: "peqa",
  title: "PEQA",
  doc: "Trains the scales of a quantized base, and leaves its whole numbers as they are: a task is one set of scales.",
  equation: "W' = t ∘ s (q − z), q and z fixed",
  use: "Choose it on a base of whole numbers where a task should be one set of scales.",
  paperTitle:
    "Memory-Efficient Fine-Tuning of Compressed Large Language Models via sub-4-bit Integer Quantization",
  paper: "https://arxiv.org/abs/2305.14152",
  axes: { P: "scales of a quantized weight", B: "integers", E: "merged only" },
  config: {
    group: int({
      default: 0,
      min: 0,
      doc: "Neighbouring inputs of an output that share a scale in the base; 0 for all of them.",
      aliases: ["group_size"],
    }),
  },
  mergesOnly: "it is a factor on each scale of a quantized base, which peft has no name for",
  params: (site, { group }) => ({
    t: { shape: [site.out, groupCount(site, group)], init: "ones" },
  }),
  weight: (g, W, { t }, { group }, site) => mul(g, W, spreadGroups(g, t, group, site.in)),
  forward(g, x, base, { t }, { group }, _ctx, site) {
    if (groupCount(site, group) === 1) return mul(g, base.apply(g, x), reshape(g, t, [site.out]));
    const W = mul(g, base.dense(g), spreadGroups(g, t, group, site.in));
    return matmul(g, x, W, { transB: true });
  },
});
