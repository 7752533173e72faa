/** @file The data against the task: formats, templates, metrics, packing. */
import type { Check } from "./check.ts";
import { contradiction, withoutEffect } from "./check.ts";

const metricsOfTask: Check = ({ task, eval: { metrics: measured, final } }) => {
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
            contradiction(
              `${path}.${index}`,
              `\`${type}\` has no meaning for \`${task}\`.`,
              task === "causal-lm"
                ? "Use loss, perplexity, accuracy or exact_match."
                : "Use loss, accuracy, f1, matthews, pearson or spearman.",
            ),
          ]
        : [],
    ),
  );
};

const formatOfTask: Check = ({ task, data: { format } }) => {
  const fits =
    format === "auto" || (format === "labelled") === (task === "sequence-classification");
  return fits
    ? []
    : [
        contradiction(
          "data.format",
          `\`${format}\` examples do not fit \`${task}\`.`,
          task === "causal-lm"
            ? "Use text, prompt-completion or messages, or `task: sequence-classification`."
            : "Use labelled, or `task: causal-lm`.",
        ),
      ];
};

const packingNeedsTokens: Check = ({ task, data: { packing } }) =>
  packing && task === "sequence-classification"
    ? [
        contradiction(
          "data.packing",
          "Packing joins examples into one row, and a classifier gives one label to a row.",
          "Remove `packing`.",
        ),
      ]
    : [];

const lossNeedsForm: Check = ({ task, data: { loss_on: on, format } }) => {
  if (on === "auto" || on === "all") return [];
  const wanted = on === "assistant" ? "messages" : "prompt-completion";
  const known =
    format === "auto" || format === wanted || (on === "completion" && format === "messages");
  if (task === "causal-lm" && known) return [];
  return [
    contradiction(
      "data.loss_on",
      task === "causal-lm"
        ? `\`loss_on: ${on}\` needs examples in the format \`${wanted}\`, and these are \`${format}\`.`
        : `\`loss_on: ${on}\` has no meaning for \`${task}\`.`,
      task === "causal-lm" ? `Use \`format: ${wanted}\` or \`loss_on: all\`.` : "Remove `loss_on`.",
    ),
  ];
};

const templateOfForm: Check = ({ data }) => {
  const { template, chat_template: chat, format } = data;
  const both =
    template !== null && chat !== null
      ? [
          contradiction(
            "data.template",
            "`template` and `chat_template` both say how a prompt is written.",
            "Keep one of them.",
          ),
        ]
      : [];
  const unused =
    template !== null && (format === "messages" || format === "text")
      ? [
          withoutEffect(
            "data.template",
            `\`${format}\` examples are not put into a template.`,
            format === "messages" ? "Use `chat_template`." : "Use `format: prompt-completion`.",
          ),
        ]
      : [];
  return [...both, ...unused];
};

export const dataChecks: readonly Check[] = [
  metricsOfTask,
  formatOfTask,
  packingNeedsTokens,
  lossNeedsForm,
  templateOfForm,
];
