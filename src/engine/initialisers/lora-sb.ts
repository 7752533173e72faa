/**
 * @file LoRA-SB: "Initialization using Update Approximation is a Silver Bullet for Extremely Efficient Low-Rank
 * Fine-Tuning", Ponkshe et al., 2024, https://arxiv.org/abs/2411.19557.
 *
 * A start of LoRA-XS, where only the core R between frozen B and A trains: W' = W + s B R A. The first step of
 * full fine-tuning with Adam is estimated as ΔW = −η sign(G), G the mean gradient of some examples and
 * η = lr / warm-up steps, as in the authors' code; ΔW = U Σ Vᵀ:
 *   A [rank, in] frozen, Vᵣᵀ · B [out, rank] frozen, Uᵣ · R [rank, rank] trained, Σᵣ / s on its diagonal.
 * Nothing is subtracted: the model starts that step ahead. The authors have s = 1; here R is divided by s, so
 * that any alpha starts at the same weight.
 */
import { at } from "../../shared/errors.ts";
import { int } from "../../shared/schema.ts";
import { topPair } from "../methods/top-pair.ts";
import { defineInitialiser } from "./define.ts";

export const loraSb = defineInitialiser({
  name: "lora_sb",
  title: "LoRA-SB",
  equation: "−η sign(G) = U Σ Vᵀ, B = U, R = Σ, A = Vᵀ",
  use: "Choose it with LoRA-XS: its few numbers then start a step ahead.",
  paperTitle:
    "Initialization using Update Approximation is a Silver Bullet for Extremely Efficient Low-Rank Fine-Tuning",
  paper: "https://arxiv.org/abs/2411.19557",
  doc: "Starts a square core and its frozen frames from an estimate of full fine-tuning's first step.",
  takesCore: true,
  changesAtStart: "it begins one estimated step of full fine-tuning ahead",
  axes: { I: "SVD of the first update", E: "LoRA" },
  config: {
    samples: int({ default: 50, min: 1, doc: "Training examples that the gradient is taken of." }),
  },
  start: ({ samples }) => ({
    needs: ["gradient"],
    calibration: { samples, single: true, counts: "all" },
    async run(site, ctx) {
      const { rank, linalg, run } = ctx;
      const step = run.learningRate / Math.max(1, run.warmupSteps);
      const update = (await ctx.gradient()).map((value) => -step * Math.sign(value));
      const { A, B, sigma } = await topPair(site, { linalg, rank }, update, "none");
      const core = new Float32Array(rank * rank);
      for (let k = 0; k < rank; k++) core[k * (rank + 1)] = at(sigma, k) / ctx.scale;
      return { A, B, core, subtract: false };
    },
  }),
});
