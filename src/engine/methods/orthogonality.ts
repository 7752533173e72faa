/** @file A penalty that keeps rows or columns of a factor orthonormal, as a gradient added on the host. */
import type { HookTensor } from "./hooks.ts";

/** Adds the gradient of factor · ‖X Xᵀ − I‖_F, X having the matrix's rows, or its columns as rows; returns its value. */
export function addOrthogonality(
  { shape: [rows = 0, width = 0], weight, gradient }: HookTensor,
  of: "rows" | "columns",
  factor: number,
): number {
  const count = of === "rows" ? rows : width;
  const length = of === "rows" ? width : rows;
  const place = (k: number, i: number): number => (of === "rows" ? k * width + i : i * width + k);
  const excess = new Float64Array(count * count);
  let norm = 0;
  for (let a = 0; a < count; a++)
    for (let b = 0; b < count; b++) {
      let sum = a === b ? -1 : 0;
      for (let i = 0; i < length; i++)
        sum += (weight[place(a, i)] ?? 0) * (weight[place(b, i)] ?? 0);
      excess[a * count + b] = sum;
      norm += sum * sum;
    }
  // At the minimum the norm has no gradient; 0 is one of its subgradients.
  if (norm === 0) return 0;
  const scale = (2 * factor) / Math.sqrt(norm);
  for (let a = 0; a < count; a++)
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (let b = 0; b < count; b++)
        sum += (excess[a * count + b] ?? 0) * (weight[place(b, i)] ?? 0);
      gradient[place(a, i)] = (gradient[place(a, i)] ?? 0) + scale * sum;
    }
  return factor * Math.sqrt(norm);
}
