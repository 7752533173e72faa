/**
 * @file LoLDU: a diagonal between the frozen triangular factors of the weight.
 *
 * Shi, Wei, Wu, Ran, Sun, He, Yang, "LoLDU: Low-Rank Adaptation via Lower-Diag-Upper Decomposition for
 * Parameter-Efficient Fine-Tuning", 2024, https://arxiv.org/abs/2410.13618.
 *
 *   W = P L D U,   W' = W − γ₀ (P L)_r D_r U_r + γ (P L)_r diag(z) U_r
 *
 *   A [r, in]   frozen, the first rows of U, whose diagonal is 1
 *   B [out, r]  frozen, the first columns of P L
 *   z [r]       trained, the first entries of D
 *   gamma [1]   trained, alpha / r
 *
 * The official code starts z otherwise too, always taking D off the weight, so that step 0 is not the base's; here z
 * starts as D alone. Where a pivot is 0 its row of U is left as it is and z starts at 1: the product is the same.
 */
import { int, number } from "../../shared/schema.ts";
import { mul } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";

export const loldu = defineLinearMethod({
  name: "loldu",
  title: "LoLDU",
  doc: "Trains one diagonal and one factor between the frozen triangular factors of each weight: as few parameters as ranks.",
  equation: "W' = W + γ P L diag(z) U − γ₀ P L D U, the first r parts of W = P L D U",
  use: "Choose it for r numbers a layer at a start that already carries the weight's own directions.",
  paperTitle:
    "LoLDU: Low-Rank Adaptation via Lower-Diag-Upper Decomposition for Parameter-Efficient Fine-Tuning",
  paper: "https://arxiv.org/abs/2410.13618",
  axes: { P: "diagonal between frozen factors", I: "LU of W, subtracted", E: "LoRA of rank 2r" },
  config: {
    r: int({ default: 64, min: 1, doc: "Entries of the diagonal.", aliases: ["rank"] }),
    alpha: number({ default: 8, above: 0, doc: "Where the factor gamma starts: alpha / r." }),
  },
  params: ({ in: n, out: m }, { r, alpha }) => ({
    A: { shape: [r, n], init: "zeros", trains: false },
    B: { shape: [m, r], init: "zeros", trains: false },
    z: { shape: [r], init: "ones" },
    gamma: { shape: [1], init: { constant: alpha / r } },
  }),
  pair: (g, { A, B, z, gamma }) => ({ A, B, core: mul(g, z, gamma), scale: 1 }),
  start: ({ r, alpha }) => ({
    needs: ["weight"],
    async run(site, ctx) {
      const data = Float64Array.from(await ctx.weight("original"));
      const { L, U, permutation } = await ctx.linalg.lu({ rows: site.out, columns: site.in, data });
      const k = Math.min(r, L.columns);
      const largest = U.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const A = new Float32Array(r * site.in);
      const B = new Float32Array(site.out * r);
      const z = new Float32Array(r);
      for (let j = 0; j < k; j++) {
        const pivot = U.data[j * site.in + j] ?? 0;
        const d = Math.abs(pivot) > 1e-7 * largest ? pivot : 1;
        z[j] = d;
        for (let i = j; i < site.in; i++) A[j * site.in + i] = (U.data[j * site.in + i] ?? 0) / d;
      }
      permutation.forEach((row, place) => {
        for (let j = 0; j < k; j++) B[row * r + j] = L.data[place * L.columns + j] ?? 0;
      });
      const BD = B.map((value, place) => value * (z[place % r] ?? 0));
      return {
        tensors: new Map([
          ["A", A],
          ["B", B],
          ["z", z],
        ]),
        subtract: { A, B: BD, scale: alpha / r },
      };
    },
  }),
});
