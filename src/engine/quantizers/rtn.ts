/**
 * @file RTN: every weight to the nearest point of a uniform grid, without data.
 *
 * The baseline of "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers",
 * Frantar, Ashkboos, Hoefler, Alistarh, 2022, https://arxiv.org/abs/2210.17323, whose grids these are; one row
 * with `symmetric` and `group: -1` is the INT4 of GLM-130B, https://arxiv.org/abs/2210.02414.
 */
import { encodeGrid, fitGrid } from "./blocks/uniform-grid.ts";
import { defineQuantizer } from "./define.ts";
import { grid, packGrid } from "./formats/grid.ts";
import { bytesOfGrid, gridFields, gridOptions, gridStorage } from "./grid-fields.ts";

export const rtn = defineQuantizer({
  name: "rtn",
  title: "RTN",
  doc: "Rounds each weight to the nearest of evenly spaced values, with one scale for each group; reads no data.",
  equation:
    "ŵ = s (q − z), q = clamp(round(w / s) + z, 0, 2ᵇ − 1), s and z of each group from its span",
  use: "Choose it where there is no data to calibrate on, or as the baseline that others must beat.",
  paperTitle:
    "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers (its baseline)",
  paper: "https://arxiv.org/abs/2210.17323",
  axes: { B: "integers of 2 to 8 bits, rounded to nearest" },
  evidence: "reference",
  config: gridFields,
  formats: [grid],
  storedBytes: (config, shape) => bytesOfGrid(config, shape),
  quantize: (config, { rows, columns, data }) => {
    const matrix = { rows, columns, data };
    const fitted = fitGrid(matrix, gridOptions(config));
    const codes = encodeGrid(matrix, fitted);
    return Promise.resolve(packGrid({ grid: fitted, codes }, gridStorage(config)));
  },
});
