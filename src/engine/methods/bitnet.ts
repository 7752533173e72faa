/**
 * @file BitNet b1.58: every weight trains, and is −1, 0 or 1 times one number of its matrix in the forward pass.
 *
 * Ma, Wang, Ma, Wang, Wang, Huang, Dong, Wang, Xue, Wei, "The Era of 1-bit LLMs: All Large Language Models are in 1.58 Bits",
 * 2024, https://arxiv.org/abs/2402.17764; Nielsen, Schneider-Kamp, "BitNet b1.58 Reloaded", 2024, https://arxiv.org/abs/2407.09527.
 *
 *   W' = m · round(clip(L / m, −1, 1)),   m = mean |L| + 1e-5
 *
 *   L [out, in]  trained, the base's weight at first
 *
 * Gradients reach L as if it were W'. The weights alone: inputs keep their bits, no norm is put before a layer,
 * and m is the mean, where the second paper's code takes the median by default.
 */
import type { Graph, Value } from "../core/graph.ts";
import { abs, add, detach, div, matmul, maximum, minimum, mul, reduceMean, reshape, round, scalar, sub } from "../core/ops.ts"; // prettier-ignore
import { defineLinearMethod } from "./define.ts";

export const bitnet = defineLinearMethod({
  name: "bitnet",
  title: "BitNet b1.58",
  doc: "Trains whole matrices whose weights are −1, 0 or 1 times one number when they multiply: quantization-aware training.",
  equation: "W' = m · round(clip(L / m, −1, 1)), m = mean |L|",
  use: "Choose it to train weights of three values, with data and time for a long run.",
  paperTitle: "The Era of 1-bit LLMs: All Large Language Models are in 1.58 Bits",
  paper: "https://arxiv.org/abs/2402.17764",
  axes: { P: "whole matrix", B: "ternary by matrix", E: "merged only" },
  config: {},
  changesAtStart: "weights are rounded to three values from the first step on",
  mergesOnly: "it trains whole matrices in place of the base's",
  params: (site) => ({ L: { shape: [site.out, site.in], init: "zeros" } }),
  weight: (g, _W, { L }) => add(g, L, detach(g, sub(g, ternary(g, L), L))),
  forward: (g, x, _base, { L }) =>
    matmul(g, x, add(g, L, detach(g, sub(g, ternary(g, L), L))), { transB: true }),
  start: () => ({
    needs: ["weight"],
    run: async (_site, ctx) => ({ tensors: new Map([["L", await ctx.weight("held")]]) }),
  }),
});

function ternary(g: Graph, L: Value): Value {
  const mean = reshape(g, reduceMean(g, abs(g, L), [0, 1]), []);
  const measure = add(g, mean, scalar(g, 1e-5));
  const level = minimum(g, maximum(g, div(g, L, measure), scalar(g, -1)), scalar(g, 1));
  return mul(g, round(g, level), measure);
}
