/**
 * @file PiSSA: the pair starts as the principal part of the weight, and the rest is frozen.
 *
 * Meng, Wang, Zhang, "PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language Models", 2024,
 * https://arxiv.org/abs/2404.02948.
 *
 *   W = U Σ Vᵀ;   A = √(Σ_r / s) V_rᵀ,   B = U_r √(Σ_r / s),   the base becomes W − s B A
 *
 * A quantized base holds the quantized rest; `of` says whether the weight as the file has it or what quantizing makes of
 * it is decomposed. As in peft, Σ is divided by the scale s, so that any alpha starts alike.
 */
import { int, oneOf } from "../../shared/schema.ts";
import { topPair } from "../methods/top-pair.ts";
import { defineInitialiser } from "./define.ts";

export const pissa = defineInitialiser({
  name: "pissa",
  title: "PiSSA",
  doc: "Starts the pair with the largest singular directions of the weight and freezes the rest.",
  equation: "B A = the r largest parts of W = U Σ Vᵀ, W − s B A frozen",
  use: "Choose it where runs are short: it starts along the weight's own main directions.",
  paperTitle:
    "PiSSA: Principal Singular Values and Singular Vectors Adaptation of Large Language Models",
  paper: "https://arxiv.org/abs/2404.02948",
  axes: { I: "SVD of W, subtracted", E: "LoRA of rank 2r" },
  config: {
    of: oneOf(
      {
        original: "The weight as the file has it.",
        dequantized: "What the quantized weight stands for.",
      },
      { default: "original", doc: "Which weight is decomposed." },
    ),
    svd: oneOf(
      {
        exact: "The whole decomposition.",
        fast: "Subspace iteration for the directions that are asked for.",
      },
      { default: "exact", doc: "How the singular directions are found." },
    ),
    iterations: int({
      default: 16,
      min: 1,
      max: 1000,
      doc: "Steps of the subspace iteration, where `svd` is `fast`.",
      aliases: ["niter"],
    }),
  },
  start: ({ of, svd, iterations }) => ({
    needs: ["weight"],
    async run(site, ctx) {
      const W = await ctx.weight(of === "original" ? "original" : "held");
      const { A, B } = await topPair(
        site,
        ctx,
        W,
        "both",
        svd === "fast" ? { iterations } : undefined,
      );
      const root = Math.sqrt(1 / ctx.scale);
      return { A: A.map((x) => x * root), B: B.map((x) => x * root), subtract: true };
    },
  }),
});
