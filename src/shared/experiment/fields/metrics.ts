/** @file The metrics by name: their own fields, and whether more is better. */
import type { Variant } from "../../schema.ts";
import { bool, int, oneOf, text } from "../../schema.ts";

interface MetricRow extends Variant {
  /** What it computes. */
  readonly equation: string;
  /** When to choose it. */
  readonly use: string;
  readonly better: "higher" | "lower";
}

export const metrics = {
  loss: {
    doc: "Mean cross-entropy of the trained tokens or labels.",
    equation:
      "loss = −(1 / N) Σ ln p(y_i | what is before it), over the N trained tokens or labels",
    use: "Choose it to compare runs of one tokenizer: the quantity that training lowers.",
    better: "lower",
    fields: {},
  },
  perplexity: {
    doc: "e to the power of the loss.",
    equation: "perplexity = exp(loss)",
    use: "Choose it to compare language models of one tokenizer in a number that papers give.",
    better: "lower",
    fields: {},
  },
  accuracy: {
    doc: "Share of labels, or of trained tokens, that are predicted right.",
    equation: "accuracy = #{i : argmax p(· | x_i) = y_i} / N",
    use: "Choose it for labels that are about equally frequent.",
    better: "higher",
    fields: {},
  },
  f1: {
    doc: "Harmonic mean of precision and recall.",
    equation: "F1 = 2 TP / (2 TP + FP + FN) of a label, then as `average` says",
    use: "Choose it where labels are not equally frequent and the rare ones matter.",
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
    equation:
      "MCC = (TP TN − FP FN) / √((TP + FP)(TP + FN)(TN + FP)(TN + FN)), for several labels by their confusion matrix",
    use: "Choose it for unequal labels where 0 should mean no better than chance, as for CoLA.",
    better: "higher",
    fields: {},
  },
  pearson: {
    doc: "Pearson correlation of predicted and true numbers.",
    equation: "r = cov(p, y) / (σ_p σ_y)",
    use: "Choose it for regression where numbers should rise in proportion, as for STS-B.",
    better: "higher",
    fields: {},
  },
  spearman: {
    doc: "Spearman correlation of predicted and true numbers.",
    equation: "ρ = r(rank p, rank y), Pearson's r of the ranks, of equal numbers the mean rank",
    use: "Choose it for regression where only the order matters.",
    better: "higher",
    fields: {},
  },
  exact_match: {
    doc: "Share of generated completions that equal the reference.",
    equation: "#{i : answer(generated_i) = answer(reference_i)} / N",
    use: "Choose it for tasks with one right answer: it generates, and so counts what users see.",
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
