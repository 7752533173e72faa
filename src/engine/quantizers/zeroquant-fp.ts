/**
 * @file ZeroQuant-FP: four bits of floating point, scales that a shift can apply, and a correction of low rank.
 *
 * "ZeroQuant-FP: A Leap Forward in LLMs Post-Training W4A8 Quantization Using Floating-Point Formats", Wu, Yao, He,
 * 2023, https://arxiv.org/abs/2307.09782. Weights in E2M1 by groups, by GPTQ's sweep. Scales are free, or rounded up to powers of
 * two (M1), or the row's largest over powers of two (M2; the power is chosen here so that no scale gets smaller);
 * for M2 every group is fitted before the sweep. LoRC: the best matrix of a small rank is added to what rounding lost.
 * Where the model runs each token's inputs are rounded to E4M3: simulated, and no speed is claimed.
 */
import { int, number, oneOf } from "../../shared/schema.ts";
import { blockScale } from "./blocks/book-blocks.ts";
import { e2m1 } from "./blocks/code-books.ts";
import { groupedColumns } from "./blocks/column-groups.ts";
import { sweepColumns } from "./blocks/hessian-solver.ts";
import { lowRank } from "./blocks/low-rank-split.ts";
import { groupsOf } from "./blocks/uniform-grid.ts";
import { defineQuantizer } from "./define.ts";
import { book, bookBytes, packBook } from "./formats/book.ts";
import { granularityOf } from "./formats/grid.ts";
import { lowRankBytes, lowRankSum, packLowRank } from "./formats/low-rank.ts";
import { halfScale } from "./half.ts";
import { expanded } from "./packed.ts";

export const zeroquantFp = defineQuantizer({
  name: "zeroquant_fp",
  title: "ZeroQuant-FP",
  doc: "Rounds weights to 4-bit floating point as GPTQ does, and adds the best matrix of a small rank to what that lost; inputs are rounded in simulation.",
  equation:
    "Ŵ = s v + U V, v of E2M1: ± {0, ½, 1, 1½, 2, 3, 4, 6}; U V the best of a small rank for W − s v",
  use: "Choose it to see 4-bit floating point with 8-bit inputs, and what a correction of low rank brings.",
  paperTitle:
    "ZeroQuant-FP: A Leap Forward in LLMs Post-Training W4A8 Quantization Using Floating-Point Formats",
  paper: "https://arxiv.org/abs/2307.09782",
  axes: { B: "4-bit floating point plus low rank" },
  config: {
    group: int({
      default: 256,
      min: -1,
      doc: "Neighbouring inputs of an output that share a scale; −1 for all of them, 0 for the whole matrix.",
      aliases: ["group_size"],
    }),
    scale: oneOf(
      {
        free: "Whatever fits the group.",
        power_of_two: "Rounded up to a power of two.",
        shared: "The row's largest over a power of two.",
      },
      { default: "free", doc: "Which scales a group can have." },
    ),
    rank: int({ default: 8, min: 0, doc: "Of the correction; 0 for none." }),
    inputs: oneOf(
      { float8: "Each token's to 8-bit floating point, simulated.", float: "As they are." },
      {
        default: "float8",
        doc: "How inputs are rounded where the model is measured or generates.",
      },
    ),
    damping: number({
      default: 0.01,
      min: 0,
      doc: "Added to the diagonal of the second moments, as a share of its mean.",
    }),
  },
  needs: () => ["moments"],
  inputs: ({ inputs }) => (inputs === "float8" ? { type: "float8" } : undefined),
  formats: [book, lowRankSum],
  storedBytes: ({ group, rank }, shape) =>
    bookBytes(shape, e2m1.bits, granularityOf(group), "float16") + lowRankBytes(shape, rank),
  async quantize({ group, scale, rank, damping }, { rows, columns, data }, ctx) {
    const matrix = { rows, columns, data };
    const granularity = granularityOf(group);
    const factor = await ctx.factor({ damping });
    const { perRow, rows: scaleRows } = groupsOf(matrix, granularity);
    const scales = new Float32Array(scaleRows * perRow);
    const how = {
      book: e2m1,
      granularity,
      roundScale: halfScale,
      powerOfTwo: scale === "power_of_two",
    };
    const shared = scale === "shared";
    const swept = groupedColumns(
      matrix,
      { granularity, staticGroups: shared, dead: factor.dead },
      {
        fit: (values, index) => {
          scales[index] = blockScale(values, how);
        },
        code: (value, index) => {
          const by = scales[index] ?? NaN;
          return by === 0 ? 0 : e2m1.nearest(Math.fround(value / by));
        },
        value: (code, index) => Math.fround((e2m1.values[code] ?? NaN) * (scales[index] ?? NaN)),
      },
    );
    if (shared)
      for (let row = 0; row < scaleRows; row++)
        shareScales(scales.subarray(row * perRow, (row + 1) * perRow));
    await sweepColumns(ctx.linalg, matrix, factor, swept.quantize);
    const { codes } = swept;
    const base = packBook({ book: e2m1, rows, columns, group, codes, scales }, "float16");
    if (rank === 0) return base;
    const values = expanded(base, [book]);
    const lost = Float64Array.from(data, (w, i) => w - (values[i] ?? NaN));
    return packLowRank(base, await lowRank(ctx.linalg, { rows, columns, data: lost }, rank));
  },
});

/** Each scale becomes the largest over a power of two, and no smaller than it was; float16 as far as those reach. */
export function shareScales(scales: Float32Array): void {
  const top = scales.reduce((most, scale) => Math.max(most, scale), 0);
  for (const [i, scale] of scales.entries()) {
    if (scale === 0) continue;
    const power = Math.floor(Math.log2(top / scale));
    scales[i] = halfScale(top / 2 ** power);
  }
}
