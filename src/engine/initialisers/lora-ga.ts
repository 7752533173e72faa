/**
 * @file LoRA-GA: "LoRA-GA: Low-Rank Adaptation with Gradient Approximation", Wang, Yu, Li, 2024,
 * https://arxiv.org/abs/2407.05000.
 *
 * G = gradient of the mean loss of some examples by W [out, in] = U Σ Vᵀ, its 2 r largest singular values by
 * subspace iteration (4 steps with 4 r directions). `direction` says which of them A and B get; ArB2r:
 *   A [rank, in] trained, V₁..ᵣᵀ · B [out, rank] trained, U of r+1..2r · W − s B A in place of W.
 * `variant: paper`, the authors' code: `stable` multiplies both by out^¼ / √γ, `gd_scale` divides both by s,
 * `weight_svd` multiplies both by the mean of √(σ / s) over the r largest σ of W (`weightS` there). `variant: peft`, as its
 * `init_lora_weights="lora_ga"`: B also carries Σ, `stable` multiplies B alone, and `weight_svd` gives B's first
 * column σ₁(W). Unlike both, the random directions come from the run's seed, and packed weights are allowed:
 * the gradient is that of the expanded matrix.
 */
import { at } from "../../shared/errors.ts";
import { int, number, oneOf } from "../../shared/schema.ts";
import { sum } from "../../shared/sums.ts";
import type { Sketch } from "../methods/top-pair.ts";
import { topPair } from "../methods/top-pair.ts";
import type { StartContext, StartSite } from "../methods/start.ts";
import { defineInitialiser } from "./define.ts";

type Direction = "ArBr" | "A2rBr" | "ArB2r" | "random";
type Scale = "stable" | "unit" | "gd_scale" | "weight_svd";

export const loraGa = defineInitialiser({
  name: "lora_ga",
  title: "LoRA-GA",
  equation: "A = V₁..ᵣᵀ and B = U of r + 1 .. 2r of the gradient G = U Σ Vᵀ, W − s B A frozen",
  use: "Choose it where the first steps should be like full fine-tuning's.",
  paperTitle: "LoRA-GA: Low-Rank Adaptation with Gradient Approximation",
  paper: "https://arxiv.org/abs/2407.05000",
  doc: "Starts so that the first step changes the weight most like full fine-tuning's does.",
  axes: { I: "SVD of the gradient, subtracted", E: "LoRA of rank 2r" },
  evidence: "reference",
  config: {
    variant: oneOf(
      {
        paper: "As the authors' code: directions alone.",
        peft: "As peft: B carries the singular values too.",
      },
      { default: "paper", doc: "Whose scaling is used." },
    ),
    direction: oneOf(
      {
        ArB2r: "A gets the first r directions, B the second r.",
        ArBr: "They take turns: B the first, A the second.",
        A2rBr: "B gets the first r directions, A the second r.",
        random: "Both get the same r of the 2 r directions, drawn.",
      },
      { default: "ArB2r", doc: "Which of the gradient's directions A and B get." },
    ),
    scale: oneOf(
      {
        stable: "By the fourth root of the output's size and by gamma.",
        unit: "Not at all.",
        gd_scale: "Divided by the pair's scale.",
        weight_svd: "By the weight's own singular values.",
      },
      { default: "stable", doc: "How the directions are scaled." },
    ),
    stable_gamma: number({ default: 16, above: 0, doc: "γ of `stable`; larger starts smaller." }),
    samples: int({ default: 8, min: 1, doc: "Training examples that the gradient is taken of." }),
  },
  start: ({ variant, direction, scale, stable_gamma: gamma, samples }) => ({
    needs: ["weight", "gradient"],
    calibration: { samples, single: true, counts: "all" },
    async run(site, ctx) {
      const { rank, linalg } = ctx;
      const twice = 2 * rank;
      const gradient = await ctx.gradient();
      const found = await topPair(
        site,
        { linalg, rank: twice },
        gradient,
        "none",
        sketch(twice, rank),
      );
      const chosen = directions(direction, rank, ctx);
      const { ofA, ofB } = await factors(
        { variant, scale, gamma },
        site,
        ctx,
        chosen.B,
        found.sigma,
      );
      const A = new Float32Array(rank * site.in);
      const B = new Float32Array(site.out * rank);
      for (let k = 0; k < rank; k++) {
        const right = at(chosen.A, k) * site.in;
        for (let column = 0; column < site.in; column++)
          A[k * site.in + column] = ofA * at(found.A, right + column);
        const left = at(chosen.B, k);
        const factor = ofB * (variant === "peft" ? at(found.sigma, left) : 1);
        for (let row = 0; row < site.out; row++)
          B[row * rank + k] = factor * at(found.B, row * twice + left);
      }
      return { A, B, subtract: true };
    },
  }),
});

/** The authors' and peft's: 4 r directions are followed, in four steps. */
function sketch(wanted: number, rank: number): Sketch {
  return { iterations: 4, oversample: 4 * rank - wanted };
}

/** Which singular directions each factor gets, by number. */
function directions(
  direction: Direction,
  rank: number,
  ctx: StartContext,
): { readonly A: ArrayLike<number>; readonly B: ArrayLike<number> } {
  const from = (first: number, every: number): readonly number[] =>
    Array.from({ length: rank }, (_, k) => first + every * k);
  switch (direction) {
    case "ArBr":
      return { A: from(1, 2), B: from(0, 2) };
    case "A2rBr":
      return { A: from(rank, 1), B: from(0, 1) };
    case "ArB2r":
      return { A: from(0, 1), B: from(rank, 1) };
    case "random": {
      const drawn = ctx
        .random("lora_ga")
        .permutation(2 * rank)
        .subarray(0, rank);
      return { A: drawn, B: drawn };
    }
  }
}

/** What A and B are multiplied by. */
async function factors(
  how: { readonly variant: "paper" | "peft"; readonly scale: Scale; readonly gamma: number },
  site: StartSite,
  ctx: StartContext,
  chosen: ArrayLike<number>,
  sigma: Float32Array,
): Promise<{ readonly ofA: number; readonly ofB: number }> {
  const both = (factor: number) => ({ ofA: factor, ofB: factor });
  const paper = how.variant === "paper";
  switch (how.scale) {
    case "unit":
      return both(1);
    case "gd_scale":
      return both(1 / ctx.scale);
    case "stable": {
      const factor = site.out ** 0.25 / Math.sqrt(how.gamma);
      return paper ? both(factor) : { ofA: 1, ofB: factor };
    }
    case "weight_svd": {
      const { linalg, rank } = ctx;
      const W = await ctx.weight("original");
      const own = (await topPair(site, { linalg, rank }, W, "none", sketch(rank, rank))).sigma;
      if (paper) {
        const roots = own.map((value) => Math.sqrt(value / ctx.scale));
        return both(sum(roots) / rank);
      }
      const first = at(sigma, at(chosen, 0));
      return { ofA: 1, ofB: first > 0 ? at(own, 0) / first : 1 };
    }
  }
}
