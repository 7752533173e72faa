/**
 * @file Factors on the channels between a producer and its consumers: AWQ's, SmoothQuant's and Outlier Suppression+'s rules.
 *
 * AWQ (Lin and others, 2023, https://arxiv.org/abs/2306.00978), SmoothQuant+ (Pan and others, 2023,
 * https://arxiv.org/abs/2312.03788), OS+ (Wei and others, 2023, https://arxiv.org/abs/2304.09145). Consumers' inputs
 * are divided by a channel's factor, so that their weights are multiplied with it.
 */
import type { Data, Matrix } from "../../../../kernels/linalg/matrix.ts";

/** AWQ's: a_j^ratio, at least 1e-4, over the root of the largest times the least; all 1 for ratio 0. */
export function awqFactors(means: ArrayLike<number>, ratio: number): Float32Array<ArrayBuffer> {
  const raised = Float64Array.from(means, (mean) => Math.max(mean ** ratio, 1e-4));
  let [least, most] = [Infinity, 0];
  for (const value of raised) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const middle = Math.sqrt(most * least);
  return Float32Array.from(raised, (value) => value / middle);
}

/** SmoothQuant's: max|x_j|^alpha / max|w_j|^(1 − alpha); 1 for channels that are always 0 on either side. */
export function smoothFactors(
  inputs: ArrayLike<number>,
  weights: ArrayLike<number>,
  alpha: number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(inputs, (x, j) => {
    const w = weights[j] ?? NaN;
    if (!(x > 0 && w > 0)) return 1;
    return Math.min(Math.max(x ** alpha / w ** (1 - alpha), 1e-5), 1e5);
  });
}

/** OS+'s for channels within [low, high] after its shift: as much as brings them within ± threshold, at least 1. */
export function thresholdFactors(
  low: ArrayLike<number>,
  high: ArrayLike<number>,
  threshold: number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(low, (least, j) =>
    Math.max(1, (high[j] ?? NaN) / threshold, least / -threshold),
  );
}

/** The largest |w_j| of each column over matrices that read the same [columns]. */
export function columnTops(matrices: readonly Matrix<Data>[]): Float32Array<ArrayBuffer> {
  const tops = new Float32Array(matrices[0]?.columns ?? 0);
  for (const { columns, data } of matrices)
    for (let i = 0; i < data.length; i++) {
      const j = i % columns;
      tops[j] = Math.max(tops[j] ?? NaN, Math.abs(data[i] ?? NaN));
    }
  return tops;
}

/** W diag(factors), or W diag(factors)⁻¹. */
export function scaledColumns(
  { rows, columns, data }: Matrix<Float32Array>,
  factors: Float32Array,
  how: "times" | "over" = "times",
): Matrix<Float32Array<ArrayBuffer>> {
  const scaled = new Float32Array(data.length);
  // Searches ask for hundreds of these: a callback for each weight would be most of their time.
  for (let from = 0; from < data.length; from += columns)
    for (let j = 0; j < columns; j++) {
      const [w, factor] = [data[from + j] ?? NaN, factors[j] ?? NaN];
      scaled[from + j] = how === "times" ? w * factor : w / factor;
    }
  return { rows, columns, data: scaled };
}
