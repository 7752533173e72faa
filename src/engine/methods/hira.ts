/**
 * @file HiRA: a low-rank pair that multiplies the weight element by element, so that the update has a high rank.
 *
 * Huang, Ko, Zhuang, Tang, Zhang, "HiRA: Parameter-Efficient Hadamard High-Rank Adaptation for Large Language Models",
 * 2025, https://openreview.net/forum?id=TwJrTz9cRS; start and dropout as in peft.
 *
 *   W' = W + W ⊙ (B A),   rank W ⊙ (B A) ≤ rank W · r
 *
 *   A [r, in]   trained, Kaiming uniform with a = √5
 *   B [out, r]  trained, zeros
 *
 * peft 0.21.2 has a rank_pattern here and makes all pairs of one rank all the same: adapters with one are refused, and runs
 * with one leave merged. There is no scale. An element of W that is zero stays zero, and no pair stands for the update: W ⊙ (B A) is formed.
 */
import { int } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { add, matmul, mul } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";

export const hira = defineLinearMethod({
  name: "hira",
  title: "HiRA",
  doc: "Trains a pair whose product multiplies the weight element by element: an update of high rank at the parameters of LoRA.",
  equation: "W' = W + W ⊙ (B A)",
  use: "Choose it where a low rank is too little and the weight's own pattern is worth keeping.",
  paperTitle: "HiRA: Parameter-Efficient Hadamard High-Rank Adaptation for Large Language Models",
  paper: "https://openreview.net/forum?id=TwJrTz9cRS",
  axes: { P: "low-rank pair times the weight", E: "adapter of peft" },
  config: {
    r: int({
      default: 32,
      min: 1,
      doc: "Rank of the pair; the update's own is up to this times the weight's.",
      aliases: ["rank"],
    }),
  },
  peft: {
    type: "HIRA",
    tensors: { A: "hira_A", B: "hira_B" },
    fields: ({ r }, { fanInFanOut }) => ({
      ...{ r, hira_dropout: 0, init_weights: true },
      ...{ rank_pattern: {}, fan_in_fan_out: fanInFanOut },
    }),
    read: ({ r }) => ({ config: { r } }),
  },
  params: ({ in: n, out: m }, { r }) => ({
    A: { shape: [r, n], init: { kaimingUniform: Math.sqrt(5) } },
    B: { shape: [m, r], init: "zeros" },
  }),
  weight: (g, W, { A, B }) => add(g, W, update(g, W, A, B)),
  // One product with W' instead of two; dropout is of the update's input alone.
  forward(g, x, base, { A, B }, _config, ctx) {
    const W = base.dense(g);
    if (!ctx.drops) return matmul(g, x, add(g, W, update(g, W, A, B)), { transB: true });
    const beside = matmul(g, ctx.dropout(x), update(g, W, A, B), { transB: true });
    return add(g, base.apply(g, x), beside);
  },
});

/** W ⊙ (B A) */
function update(g: Graph, W: Value, A: Value, B: Value): Value {
  return mul(g, W, matmul(g, B, A));
}
