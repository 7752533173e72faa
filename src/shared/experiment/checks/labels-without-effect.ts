/** @file Labels of a task that has none. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const labelsWithoutEffect: Check = {
  code: "labels-without-effect",
  severity: "warning",
  doc: "Labels belong to classification; a language model predicts tokens, and regression numbers.",
  find({ task, data: { labels, problem_type: problem } }, { document }) {
    if (labels === null) return [];
    if (task === "sequence-classification" && problem !== "regression") return [];
    return [
      {
        path: "data.labels",
        message: `\`labels\` has no effect: ${task === "causal-lm" ? `\`${task}\` predicts tokens` : "regression predicts a number"}.`,
        remedy: "Remove it, or set `task: sequence-classification`.",
        ...removed(document, ["data", "labels"]),
      },
    ];
  },
};
