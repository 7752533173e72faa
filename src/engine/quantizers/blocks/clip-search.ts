/**
 * @file AWQ's search for the limits that the weights of each group are cut to.
 *
 * Lin, Tang, Tang, Yang, Dang, Han, "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration",
 * 2023, https://arxiv.org/abs/2306.00978: for each row and group the share of its largest magnitude, of `steps` from
 * 1 down to `least`, whose rounding changes the group's part of the outputs least.
 */
import type { Linalg } from "../../../../kernels/linalg/index.ts";
import type { Matrix } from "../../../../kernels/linalg/matrix.ts";
import { groupErrors, groupMoments } from "./group-errors.ts";
import type { GridOptions } from "./uniform-grid.ts";
import { cutWeights, decodeGrid, encodeGrid, fitGrid, groupsOf } from "./uniform-grid.ts";

export interface ClipOptions {
  /** Shares tried: 1 − i / divisions, i = 0 … steps − 1. */
  readonly divisions?: number;
  readonly steps?: number;
}

/** Limits [rows · groups]; `inputs` [count, columns] are what the weights are multiplied with. Groups by row or size. */
export async function clipLimits(
  linalg: Linalg,
  weights: Matrix<Float32Array>,
  inputs: Matrix<Float32Array>,
  grid: GridOptions,
  { divisions = 20, steps = 10 }: ClipOptions = {},
): Promise<Float32Array<ArrayBuffer>> {
  const { rows, columns, data } = weights;
  const { group, perRow } = groupsOf(weights, grid.granularity);
  if (grid.granularity === "tensor") throw new RangeError("Limits are found by row or group.");
  const tops = new Float32Array(rows * perRow);
  for (const [i, w] of data.entries()) {
    const at = Math.floor(i / columns) * perRow + Math.floor((i % columns) / group);
    tops[at] = Math.max(tops[at] ?? NaN, Math.abs(w));
  }
  const limits = tops.slice();
  const least = new Float64Array(tops.length).fill(Infinity);
  const moments = await groupMoments(linalg, inputs, group);
  for (let step = 0; step < steps; step++) {
    // The share in float32, as PyTorch multiplies: a range cut at both ends has its zero half way between codes.
    const part = Math.fround(1 - step / divisions);
    const tried = tops.map((top) => top * part);
    const cut = cutWeights(weights, grid.granularity, tried);
    const fitted = fitGrid(cut, grid);
    const values = decodeGrid(encodeGrid(cut, fitted), fitted);
    const errors = data.map((w, i) => (values[i] ?? NaN) - w);
    for (const [g, moment] of moments.entries()) {
      const lost = await groupErrors(linalg, { rows, columns, data: errors }, moment, g * group);
      for (const [row, error] of lost.entries()) {
        const at = row * perRow + g;
        if (!(error < (least[at] ?? NaN))) continue;
        least[at] = error;
        limits[at] = tried[at] ?? NaN;
      }
    }
  }
  return limits;
}
