/** @file A form of examples that the task cannot train on. */
import type { Check } from "./check.ts";

export const formatNotForTask: Check = {
  code: "format-not-for-task",
  severity: "error",
  doc: "A classifier learns from labelled examples, a language model from text, completions or messages.",
  find({ task, data: { format } }) {
    const labelled = task === "sequence-classification";
    if (format === "auto" || (format === "labelled") === labelled) return [];
    return [
      {
        path: "data.format",
        message: `\`${format}\` examples do not fit \`${task}\`.`,
        remedy: labelled
          ? "Use labelled, or `task: causal-lm`."
          : "Use text, prompt-completion or messages, or `task: sequence-classification`.",
      },
    ];
  },
};
