/**
 * @file A sparse part beside a quantized one, by iterative hard thresholding: QuantEase's outliers.
 *
 * Behdin and others, 2023, https://arxiv.org/abs/2309.01885: a gradient step of ‖(W − Ŵ − S) X‖² for S, of which the
 * largest magnitudes stay.
 */
import type { Linalg } from "../../../../kernels/linalg/index.ts";
import type { Matrix } from "../../../../kernels/linalg/matrix.ts";
import { splitBySaliency } from "./saliency-split.ts";

/** The largest eigenvalue of a symmetric Σ [n, n], from above: by powers, plus a twentieth. */
export function largestEigenvalue({ rows: n, data }: Matrix, steps = 60): number {
  let vector = new Float64Array(n).fill(1 / Math.sqrt(Math.max(1, n)));
  let norm = 0;
  for (let step = 0; step < steps; step++) {
    const next = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += (data[i * n + j] ?? NaN) * (vector[j] ?? NaN);
      next[i] = sum;
    }
    norm = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0));
    if (norm === 0) return 0;
    vector = next.map((x) => x / norm);
  }
  return 1.05 * norm;
}

/**
 * S after one step: the `share` of the largest magnitudes of S + (W − Ŵ − S) Σ / λ, the rest 0. With λ at least the
 * largest eigenvalue of Σ no step raises tr((W − Ŵ − S) Σ (W − Ŵ − S)ᵀ).
 */
export async function hardThreshold(
  linalg: Linalg,
  left: Matrix,
  sparse: Float64Array,
  moments: { readonly matrix: Matrix; readonly largest: number },
  share: number,
): Promise<Float64Array<ArrayBuffer>> {
  const { rows, columns } = left;
  const rest = left.data.map((x, i) => x - (sparse[i] ?? NaN));
  const { data: pull } = await linalg.multiply({ rows, columns, data: rest }, moments.matrix);
  const step = moments.largest > 0 ? 1 / moments.largest : 0;
  const moved = pull.map((p, i) => (sparse[i] ?? NaN) + step * p);
  const { mask } = splitBySaliency({ rows, columns }, moved.map(Math.abs), share);
  return moved.map((x, i) => (mask[i] === 1 ? x : 0));
}
