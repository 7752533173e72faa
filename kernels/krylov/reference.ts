/** @file Lanczos in plain TypeScript: one vector, the recurrence of the textbook with full reorthogonalisation. */
import { item, type Matrix } from "../linalg/matrix.ts";

/** α_j = q_jᵀ G q_j, β_j q_{j+1} = G q_j − α_j q_j − β_{j−1} q_{j−1}. */
export function lanczosReference(
  G: Matrix,
  start: Float64Array,
  steps: number,
): { readonly alpha: readonly number[]; readonly beta: readonly number[] } {
  const n = G.rows;
  const dot = (x: Float64Array, y: Float64Array) =>
    x.reduce((sum, v, i) => sum + v * (y[i] ?? NaN), 0);
  const alpha: number[] = [];
  const beta: number[] = [];
  const size = Math.sqrt(dot(start, start));
  const Q = [start.map((value) => value / size)];
  for (let j = 0; j < steps; j++) {
    const q = item(Q, j);
    let z = q.map((_, i) => dot(G.data.subarray(i * n, (i + 1) * n), q));
    alpha.push(dot(q, z));
    for (const other of [...Q, ...Q]) {
      const inside = dot(other, z);
      z = z.map((value, i) => value - inside * (other[i] ?? NaN));
    }
    const length = Math.sqrt(dot(z, z));
    beta.push(length);
    Q.push(z.map((value) => value / length));
  }
  return { alpha, beta };
}
