/** @file Parts of a matrix that a step must not change: remembered before it, put back after it. */
import type { HookTensor } from "./hooks.ts";

/** Remembers the rows k of `still`; the result puts them back. */
export function keptRows(
  { shape: [rows = 0, width = 0], weight }: HookTensor,
  still: (k: number) => boolean,
): () => void {
  const kept = Array.from({ length: rows }, (_, k) => k)
    .filter(still)
    .map((k) => [k, weight.slice(k * width, (k + 1) * width)] as const);
  return () => {
    for (const [k, values] of kept) weight.set(values, k * width);
  };
}

/** The same for columns. */
export function keptColumns(
  { shape: [rows = 0, width = 0], weight }: HookTensor,
  still: (k: number) => boolean,
): () => void {
  const columns = Array.from({ length: width }, (_, k) => k).filter(still);
  const kept = columns.map((k) =>
    Float32Array.from({ length: rows }, (_, row) => weight[row * width + k] ?? 0),
  );
  return () => {
    columns.forEach((k, place) => {
      for (let row = 0; row < rows; row++) weight[row * width + k] = kept[place]?.[row] ?? 0;
    });
  };
}
