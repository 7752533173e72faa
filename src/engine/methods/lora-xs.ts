/**
 * @file LoRA-XS: a small square matrix between the frozen singular vectors of the weight.
 *
 * Bałazy, Banaei, Aberer, Tabor, "LoRA-XS: Low-Rank Adaptation with Extremely Small Number of Parameters", 2024,
 * https://arxiv.org/abs/2405.17604.
 *
 *   W' = W + s B R A,   s = alpha / r
 *
 *   A [r, in]   frozen, the first right singular vectors of W
 *   B [out, r]  frozen, the first left singular vectors of W times their singular values
 *   R [r, r]    trained, zeros (the paper draws N(0, 1e-10), which makes step 0 differ from the base)
 */
import { int, number } from "../../shared/schema.ts";
import { defineLinearMethod } from "./define.ts";
import { topPair } from "./top-pair.ts";

export const loraXs = defineLinearMethod({
  name: "lora_xs",
  title: "LoRA-XS",
  doc: "Trains a square matrix of rank × rank between the frozen singular vectors of each weight: very few parameters, whatever the layer's size.",
  equation: "W' = W + s B R A, B and A from the SVD of W",
  use: "Choose it for many small adapters: r² numbers a layer, whatever its size.",
  paperTitle: "LoRA-XS: Low-Rank Adaptation with Extremely Small Number of Parameters",
  paper: "https://arxiv.org/abs/2405.17604",
  axes: { P: "square core between frozen factors", I: "SVD of W", E: "plain LoRA" },
  config: {
    r: int({ default: 16, min: 1, doc: "Side of the trained matrix R.", aliases: ["rank"] }),
    alpha: number({ default: 16, above: 0, doc: "Scale: W' = W + (alpha / r) B R A." }),
  },
  params: ({ in: n, out: m }, { r }) => ({
    A: { shape: [r, n], init: "zeros", trains: false },
    B: { shape: [m, r], init: "zeros", trains: false },
    R: { shape: [r, r], init: "zeros" },
  }),
  pair: (_g, { A, B, R }, { r, alpha }) => ({ A, B, core: R, scale: alpha / r }),
  roles: { A: "A", B: "B", core: "R" },
  startPair: () => ({
    needs: ["weight"],
    async run(site, ctx) {
      const { A, B } = await topPair(site, ctx, await ctx.weight("held"), "right");
      return { A, B, core: new Float32Array(ctx.rank * ctx.rank), subtract: false };
    },
  }),
});
