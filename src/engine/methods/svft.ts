/**
 * @file SVFT: a sparse matrix between all frozen singular vectors of the weight.
 *
 * Lingam, Tejaswi, Vavre, Shetty, Gudur, Ghosh, Dimakis, Choi, Bojchevski, Sanghavi, "SVFT: Parameter-Efficient
 * Fine-Tuning with Singular Vectors", 2024, https://arxiv.org/abs/2405.19597.
 *
 *   W' = U (Σ + M) Vᵀ = W + U M Vᵀ,   M zero off 2 d + 1 diagonals
 *
 *   A [k, in]   frozen, all right singular vectors of W, k = min(in, out)
 *   B [out, k]  frozen, all left singular vectors
 *   M [k (2 d + 1) − d (d + 1)]  trained, zeros: the diagonals from the lowest to the highest
 *
 * Of the paper's patterns these are the plain and the banded one. Random places and those where frames are most aligned are
 * not here: their M has no diagonals to go along, so that each product would gather as many columns of both frames as M has
 * entries, or form [k, k]; and frames of sides that differ, as most layers' do, have no alignment that the paper defines.
 * The official code starts M at random behind a gate of ½, so that step 0 is not the base's; here M starts at 0.
 */
import { int } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { add, mul, pad, slice } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";
import { topPair } from "./top-pair.ts";

export const svft = defineLinearMethod({
  name: "svft",
  title: "SVFT",
  doc: "Trains a diagonal or band between all frozen singular vectors of each weight: few parameters of full rank, in much memory.",
  equation: "W' = U (Σ + M) Vᵀ, M sparse",
  use: "Choose it for few numbers of full rank where the singular vectors of each weight find room in memory.",
  paperTitle: "SVFT: Parameter-Efficient Fine-Tuning with Singular Vectors",
  paper: "https://arxiv.org/abs/2405.19597",
  axes: { P: "sparse core of full rank", I: "SVD of W", E: "merged only" },
  config: {
    off_diagonals: int({
      default: 0,
      min: 0,
      doc: "Diagonals beside the middle one on each side: 0 is SVFT plain, more a band.",
      aliases: ["off_diag"],
    }),
  },
  mergesOnly: "its frozen frames are larger than the weight itself",
  params({ in: n, out: m }, { off_diagonals }) {
    const k = Math.min(n, m);
    const d = Math.min(off_diagonals, k - 1);
    return {
      A: { shape: [k, n], init: "zeros", trains: false },
      B: { shape: [m, k], init: "zeros", trains: false },
      M: { shape: [k * (2 * d + 1) - d * (d + 1)], init: "zeros" },
    };
  },
  pair: (g, { A, B, M }, { off_diagonals: d }) =>
    d === 0 ? { A, B, core: M, scale: 1 } : { A, B: timesBand(g, B, M, d), scale: 1 },
  start: () => ({
    needs: ["weight"],
    async run(site, ctx) {
      const rank = Math.min(site.in, site.out);
      const { A, B } = await topPair(
        site,
        { linalg: ctx.linalg, rank },
        await ctx.weight("held"),
        "none",
      );
      return {
        tensors: new Map([
          ["A", A],
          ["B", B],
        ]),
      };
    },
  }),
});

/** B M [out, k]: column j of it is the sum over the diagonals of B's column j − offset times their entry. */
function timesBand(g: Graph, B: Value, M: Value, most: number): Value {
  const [, k = 1] = B.shape;
  const d = Math.min(most, k - 1);
  let start = 0;
  let sum: Value | undefined;
  for (let offset = -d; offset <= d; offset++) {
    const length = k - Math.abs(offset);
    const from = Math.max(0, -offset);
    const entries = slice(g, M, 0, start, start + length);
    start += length;
    const moved = pad(
      g,
      mul(g, slice(g, B, 1, from, from + length), entries),
      1,
      Math.max(0, offset),
      Math.max(0, -offset),
    );
    sum = sum === undefined ? moved : add(g, sum, moved);
  }
  return sum ?? B;
}
