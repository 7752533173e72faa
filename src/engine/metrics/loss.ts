/** @file Loss, perplexity and accuracy: sums over the targets of all examples. */
import { metrics } from "../../shared/experiment/fields/metrics.ts";
import { defineMetric } from "./define.ts";
import type { TargetResult } from "./example-result.ts";

/** Σ losses / Σ targets: every target counts the same, however long its example is. */
export const loss = defineMetric({
  fields: metrics.loss.fields,
  needs: "targets",
  value: meanLoss,
  score: (example) => example.loss / example.count,
});

/** e to the power of the mean loss of a target. */
export const perplexity = defineMetric({
  fields: metrics.perplexity.fields,
  needs: "targets",
  value: (examples) => Math.exp(meanLoss(examples)),
  score: (example) => Math.exp(example.loss / example.count),
  refuses: (predicted) => ("number" in predicted ? "a number has no probability" : undefined),
});

/** Σ hits / Σ targets. */
export const accuracy = defineMetric({
  fields: metrics.accuracy.fields,
  needs: "targets",
  value: (examples) => total(examples, "hits") / total(examples, "count"),
  score: ({ hits, count }) => hits / count,
  refuses: (predicted) => ("number" in predicted ? "a number is never hit exactly" : undefined),
});

function meanLoss(examples: readonly TargetResult[]): number {
  return total(examples, "loss") / total(examples, "count");
}

function total(examples: readonly TargetResult[], of: keyof TargetResult): number {
  return examples.reduce((sum, example) => sum + example[of], 0);
}
