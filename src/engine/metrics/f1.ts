/** @file F1: the harmonic mean of precision and recall, 2 · hits / (truths + predictions), as scikit-learn has it. */
import { metrics } from "../../shared/experiment/fields/metrics.ts";
import { countLabels } from "./confusion.ts";
import type { LabelCounts } from "./confusion.ts";
import { defineMetric } from "./define.ts";

export const f1 = defineMetric({
  fields: metrics.f1.fields,
  needs: "label",
  value(examples, { average }) {
    const counts = countLabels(examples);
    switch (average) {
      case "macro": {
        const scores = [...counts.values()].map(ofLabel);
        return scores.reduce((sum, score) => sum + score, 0) / scores.length;
      }
      case "micro": {
        // Each wrong example is one false positive and one false negative, so that this is the accuracy.
        const hits = [...counts.values()].reduce((sum, label) => sum + label.hits, 0);
        return hits / examples.length;
      }
      case "binary":
        return ofLabel(counts.get(1) ?? { truths: 0, predictions: 0, hits: 0 });
    }
  },
  refuses(predicted, { average }) {
    if (!("classes" in predicted)) return "it is of classes";
    return average === "binary" && predicted.classes !== 2
      ? `\`average: binary\` is of two labels, and there are ${predicted.classes}`
      : undefined;
  },
});

/** 0 for a label that is never true and never predicted. */
function ofLabel({ truths, predictions, hits }: LabelCounts): number {
  return truths + predictions === 0 ? 0 : (2 * hits) / (truths + predictions);
}
