/** @file How many rows a head takes at once, so that the logits stay small. */
import type { Model } from "../models/architecture.ts";

/** Elements of the logits that exist at once, at most: 24 MB stay within reach of the caches. */
const logitElements = 6 << 20;

export function logitRows({ labels, sizes }: Model, rows: number): number {
  const fit = Math.max(8, 2 ** Math.floor(Math.log2(logitElements / (labels ?? sizes.vocabulary))));
  return Math.min(fit, Math.max(1, rows));
}
