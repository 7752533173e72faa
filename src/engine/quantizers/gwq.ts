/**
 * @file GWQ: the few weights with the largest gradients kept, all others rounded on grids of their own.
 *
 * "GWQ: Gradient-Aware Weight Quantization for Large Language Models", Shao, Lin, Zhou and others, 2024,
 * https://arxiv.org/abs/2411.00850. Known here from its abstract: one small calibration set gives the mean gradient of
 * the loss; the share of the weights with the largest magnitudes of it stays in float16. Chosen here: groups are
 * fitted to the weights that are not kept.
 */
import { oneOf, share } from "../../shared/schema.ts";
import { splitBySaliency } from "./blocks/saliency-split.ts";
import { encodeGrid, fitGrid } from "./blocks/uniform-grid.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { kept, keptBytes, keptCount, packKept } from "./formats/kept.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";

export const gwq = defineQuantizer({
  name: "gwq",
  title: "GWQ",
  doc: "Keeps the weights with the largest gradients of the loss, and rounds all others.",
  equation: "ŵ = w where |E ∂L/∂w| is among the largest share, else s (q − z)",
  use: "Choose it where a few weights matter far more than all others, and a loss on data tells which.",
  paperTitle: "GWQ: Gradient-Aware Weight Quantization for Large Language Models",
  paper: "https://arxiv.org/abs/2411.00850",
  axes: { B: "integers of 2 to 8 bits, and a share kept by gradient" },
  config: {
    ...gridFields,
    outliers: share({ default: 0.01, doc: "Share of the weights that are kept." }),
    kept: oneOf(
      { float16: "Two bytes each.", float32: "Four, exact for any model." },
      { default: "float16", doc: "How kept weights are stored." },
    ),
  },
  needs: ({ outliers }) => (outliers > 0 ? ["gradient"] : []),
  formats: [grid, kept],
  storedBytes: (config, shape) => {
    const count = keptCount(shape, config.outliers);
    return bytesOfGrid(config, shape) + (count === 0 ? 0 : keptBytes(shape, count, config.kept));
  },
  async quantize(config, { rows, columns, data }, ctx) {
    const matrix = { rows, columns, data };
    const none = keptCount(matrix, config.outliers) === 0;
    const scores = none ? new Float32Array(data.length) : (await ctx.gradient()).map(Math.abs);
    const { chosen, mask } = splitBySaliency(matrix, scores, config.outliers);
    // Every grid holds 0, so that a 0 in place of a kept weight leaves its group's span to the others.
    const rest = { rows, columns, data: data.map((w, i) => (mask[i] === 1 ? 0 : w)) };
    // Zeroing must not hide what the grid would refuse.
    if (!data.every(Number.isFinite)) throw new RangeError("A weight is not finite.");
    const fitted = fitGrid(rest, gridOptions(config));
    const codes = encodeGrid(rest, fitted);
    const base = packGrid({ grid: fitted, codes }, gridStorage(config));
    if (none) return base;
    const values = Float32Array.from(chosen, (at) => data[at] ?? NaN);
    return packKept(base, chosen, values, config.kept);
  },
});
