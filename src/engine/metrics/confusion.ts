/** @file How often each label is true, predicted, and both. */
import type { LabelResult } from "./example-result.ts";

export interface LabelCounts {
  readonly truths: number;
  readonly predictions: number;
  readonly hits: number;
}

/** Of every label that is true or predicted somewhere. */
export function countLabels(examples: readonly LabelResult[]): ReadonlyMap<number, LabelCounts> {
  const counts = new Map<number, { truths: number; predictions: number; hits: number }>();
  const of = (label: number) => {
    const known = counts.get(label) ?? { truths: 0, predictions: 0, hits: 0 };
    counts.set(label, known);
    return known;
  };
  for (const { truth, prediction } of examples) {
    of(truth).truths += 1;
    of(prediction).predictions += 1;
    if (truth === prediction) of(truth).hits += 1;
  }
  return counts;
}
