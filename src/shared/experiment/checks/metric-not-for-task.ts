/** @file A metric that the task has no use for. */
import type { Check } from "./check.ts";

export const metricNotForTask: Check = {
  code: "metric-not-for-task",
  severity: "error",
  doc: "Perplexity and exact match are of generated text; F1, Matthews and correlations are of labels.",
  find({ task, eval: { metrics: measured, final } }) {
    const generated = ["exact_match", "perplexity"];
    const classified = ["f1", "matthews", "pearson", "spearman"];
    const wrong = task === "causal-lm" ? classified : generated;
    const lists = [
      ["eval.metrics", measured ?? []],
      ["eval.final", final],
    ] as const;
    return lists.flatMap(([path, list]) =>
      list.flatMap(({ type }, index) =>
        wrong.includes(type)
          ? [
              {
                path: `${path}.${index}`,
                message: `\`${type}\` has no meaning for \`${task}\`.`,
                remedy:
                  task === "causal-lm"
                    ? "Use loss, perplexity, accuracy or exact_match."
                    : "Use loss, accuracy, f1, matthews, pearson or spearman.",
              },
            ]
          : [],
      ),
    );
  },
};
