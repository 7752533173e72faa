/** @file Which columns an experiment reads, by the form of its examples. */
import type { Experiment } from "../../../src/shared/experiment/fields/experiment-fields.ts";
import type { DataFacts } from "../facts.ts";

export type Role = keyof Experiment["data"]["columns"];

/** The form of the examples, told from the columns as the engine tells it. */
export function formOf(
  { task, data }: Experiment,
  { columns: has }: DataFacts,
): Experiment["data"]["format"] {
  const { format, columns } = data;
  if (format !== "auto") return format;
  if (task === "sequence-classification") return "labelled";
  if (has.includes(columns.messages) || has.includes("conversations")) return "messages";
  if (has.includes(columns.prompt) && has.includes(columns.completion)) return "prompt-completion";
  if (has.includes(columns.text)) return "text";
  if (has.includes(columns.prompt)) return "prompt-completion";
  // None of them is there: what the file gives names of its own is what it means.
  if (columns.prompt !== "prompt" || columns.completion !== "completion")
    return "prompt-completion";
  return columns.messages === "messages" ? "text" : "messages";
}

/** Roles whose columns are read; a template names its own. */
export function rolesOf(experiment: Experiment, facts: DataFacts): readonly Role[] {
  const { template, columns } = experiment.data;
  switch (formOf(experiment, facts)) {
    case "text":
      return ["text"];
    case "prompt-completion":
      return template === null ? ["prompt", "completion"] : ["completion"];
    case "messages":
      return facts.columns.includes("conversations") && columns.messages === "messages"
        ? []
        : ["messages"];
    case "labelled":
      return columns.text_pair === null ? ["text", "label"] : ["text", "text_pair", "label"];
    case "auto":
      return [];
  }
}
