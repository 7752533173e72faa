/** @file The metrics by name: their own fields, and whether more is better. */
import type { Variant } from "../../schema.ts";
import { bool, int, oneOf, text } from "../../schema.ts";

interface MetricRow extends Variant {
  readonly better: "higher" | "lower";
}

export const metrics = {
  loss: { doc: "Mean cross-entropy of the trained tokens or labels.", better: "lower", fields: {} },
  perplexity: { doc: "e to the power of the loss.", better: "lower", fields: {} },
  accuracy: {
    doc: "Share of labels, or of trained tokens, that are predicted right.",
    better: "higher",
    fields: {},
  },
  f1: {
    doc: "Harmonic mean of precision and recall.",
    better: "higher",
    fields: {
      average: oneOf(
        {
          macro: "Mean over the labels.",
          micro: "Over all examples at once.",
          binary: "Of the second of two labels.",
        },
        { default: "macro", doc: "How several labels make one number." },
      ),
    },
  },
  matthews: {
    doc: "Matthews correlation of predicted and true labels.",
    better: "higher",
    fields: {},
  },
  pearson: {
    doc: "Pearson correlation of predicted and true numbers.",
    better: "higher",
    fields: {},
  },
  spearman: {
    doc: "Spearman correlation of predicted and true numbers.",
    better: "higher",
    fields: {},
  },
  exact_match: {
    doc: "Share of generated completions that equal the reference.",
    better: "higher",
    fields: {
      max_new_tokens: int({
        default: 64,
        min: 1,
        max: 65_536,
        unit: "tokens",
        doc: "Longest completion that is generated.",
      }),
      answer: text({
        form: "regex",
        default: null,
        doc: "What to compare: the first group of the last match in both texts; by default the whole text.",
      }),
      ignore_case: bool({ default: false, doc: "Compare without regard to letter case." }),
    },
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export type MetricName = keyof typeof metrics;

export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(metrics, name);
}
