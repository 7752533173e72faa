/**
 * @file PaCA: a few columns of the weight train, chosen at random once.
 *
 * Woo, Baek, Kim, Jo, Park, Kwon, Jeon, "PaCA: Partial Connection Adaptation for Efficient Fine-Tuning", 2025,
 * https://arxiv.org/abs/2503.01905.
 *
 *   W'[:, J] = W[:, J] + s D,   s = alpha / r
 *
 *   J [r]       frozen, different columns drawn from the seed
 *   D [out, r]  trained, zeros
 *
 * The paper trains a copy of the columns; the change of them is the same training, and leaves a quantized base as it is.
 * A base that is not quantized carries the change in its own columns while it trains, as in the paper: a step then costs the base's
 * products and s dyᵀ x[:, J]. Of the input only the columns J are needed for the gradient.
 */
import { int, number } from "../../shared/schema.ts";
import { addColumn, gatherColumns } from "../core/columns.ts";
import { add, constant, expand, matmul, reshape, scalar } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";

export const paca = defineLinearMethod({
  name: "paca",
  title: "PaCA",
  doc: "Trains a few columns of each weight, chosen at random: a step costs less than LoRA's, since only those columns of the input are needed.",
  equation: "W'[:, J] = W[:, J] + s D",
  use: "Choose it where memory for activations and time for each step count most.",
  paperTitle: "PaCA: Partial Connection Adaptation for Efficient Fine-Tuning",
  paper: "https://arxiv.org/abs/2503.01905",
  axes: { P: "columns of W", R: "random columns", E: "plain LoRA" },
  config: {
    r: int({ default: 8, min: 1, doc: "Columns that train.", aliases: ["rank"] }),
    alpha: number({ default: 8, above: 0, doc: "Scale of the change: alpha / r." }),
  },
  params({ in: n, out: m }, { r }) {
    const count = Math.min(r, n);
    return {
      J: { shape: [count], init: "zeros", trains: false, dtype: "int32" },
      D: { shape: [m, count], init: "zeros" },
    };
  },
  columns: { places: "J", change: "D", scale: ({ r, alpha }) => alpha / r },
  pair(g, { J, D }, { r, alpha }, { in: n }) {
    const [count = 1] = J.shape;
    const zeros = expand(g, scalar(g, 0), [count, n]);
    const ones = constant(g, "float32", [count, 1], new Float32Array(count).fill(1));
    return { A: addColumn(g, zeros, reshape(g, J, [count, 1]), ones), B: D, scale: alpha / r };
  },
  forward(g, x, base, { J, D }, { r, alpha }, ctx) {
    const own = gatherColumns(g, ctx.dropout(x), J);
    return add(g, base.apply(g, x), matmul(g, own, D, { transB: true, alpha: alpha / r }));
  },
  start: ({ r }) => ({
    needs: [],
    run(site, ctx) {
      const J = ctx.random("columns").permutation(site.in).subarray(0, Math.min(r, site.in));
      return Promise.resolve({ tensors: new Map([["J", J.toSorted()]]) });
    },
  }),
});
