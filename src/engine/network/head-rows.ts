/** @file How many rows a head takes at once, so that the logits stay small. */
import type { Model } from "../models/architecture.ts";

/** Elements of the logits that exist at once, at most: 24 MB stay within reach of the caches. */
const logitElements = 6 << 20;

/**
 * Rows are rounded up to one of four sizes between two powers of two: batches with almost the same number of
 * targets share a program, and at most a quarter is computed in vain.
 */
export function logitRows({ labels, sizes }: Model, rows: number): number {
  const fit = Math.max(8, 2 ** Math.floor(Math.log2(logitElements / (labels ?? sizes.vocabulary))));
  const step = Math.max(1, 2 ** Math.floor(Math.log2(Math.max(1, rows))) / 4);
  return Math.min(fit, Math.ceil(Math.max(1, rows) / step) * step);
}
