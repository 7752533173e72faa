/**
 * @file LaMDA: a frozen projection, a trained square matrix, and an output factor that freezes column by column.
 *
 * Azizi, Kundu, Pedram, "LaMDA: Large Model Fine-Tuning via Spectrally Decomposed Low-Dimensional Adaptation", 2024,
 * https://arxiv.org/abs/2406.12832.
 *
 *   W' = W + s B C A,   s = alpha / r
 *
 *   A [r, in]   frozen, the first right singular vectors of W
 *   C [r, r]    trained, the identity
 *   B [out, r]  trained, zeros; ⌊r t / (freeze T)⌋ columns are frozen after step t of T
 *
 * The paper leaves open which factor carries the singular values and where C starts; with these starts step 0 is the base
 * and every tensor has a gradient. The public code counts the frozen columns without the factor r, which freezes none
 * until the end of the phase and one then; here they freeze one after the other. LaMDA++, which shares
 * ranks out by the spectra of the weights, is not here.
 */
import { int, number, share } from "../../shared/schema.ts";
import { defineLinearMethod } from "./define.ts";
import { keptColumns } from "./kept-parts.ts";
import { topPair } from "./top-pair.ts";

export const lamda = defineLinearMethod({
  name: "lamda",
  title: "LaMDA",
  doc: "Trains a square matrix behind a frozen projection, and for the first part of the run the output factor, whose columns freeze one by one.",
  equation: "W' = W + s B C A, A frozen, B's columns one after the other",
  use: "Choose it where the late part of a run should keep few activations.",
  paperTitle: "LaMDA: Large Model Fine-Tuning via Spectrally Decomposed Low-Dimensional Adaptation",
  paper: "https://arxiv.org/abs/2406.12832",
  axes: { P: "square core", I: "SVD of W", T: "columns freeze", E: "plain LoRA" },
  config: {
    r: int({
      default: 32,
      min: 1,
      doc: "Rank, the side of the trained matrix.",
      aliases: ["rank"],
    }),
    alpha: number({ default: 16, above: 0, doc: "Scale: W' = W + (alpha / r) B C A." }),
    freeze: share({
      default: 0.3,
      above: 0,
      doc: "Share of the run after which all columns of B are frozen.",
    }),
  },
  params: ({ in: n, out: m }, { r }) => ({
    A: { shape: [r, n], init: "zeros", trains: false },
    B: { shape: [m, r], init: "zeros" },
    C: { shape: [r, r], init: "zeros" },
  }),
  pair: (_g, { A, B, C }, { r, alpha }) => ({ A, B, core: C, scale: alpha / r }),
  start: ({ r }) => ({
    needs: ["weight"],
    async run(site, ctx) {
      const { A } = await topPair(site, ctx, await ctx.weight("held"), "none");
      const C = new Float32Array(r * r);
      for (let k = 0; k < r; k++) C[k * (r + 1)] = 1;
      return {
        tensors: new Map([
          ["A", A],
          ["C", C],
        ]),
      };
    },
  }),
  hooks: ({ r, freeze }) => {
    let restore: readonly (() => void)[] = [];
    return {
      beforeStep(sites, { t, steps }) {
        const frozen = Math.min(r, Math.floor((r * (t - 1)) / (freeze * steps)));
        restore = sites.map(({ tensor }) => keptColumns(tensor("B"), (k) => k < frozen));
      },
      afterStep() {
        for (const put of restore) put();
      },
    };
  },
});
