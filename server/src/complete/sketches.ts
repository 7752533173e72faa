/** @file Whole experiments to begin with, where a document says nothing yet. */
import type { Analysis } from "../analysis.ts";
import type { Suggestion } from "./suggestion.ts";

interface Sketch {
  readonly label: string;
  readonly doc: string;
  readonly lines: readonly string[];
}

const begin = [
  "version: 1",
  "model: ${1:./model}",
  "data:",
  "  train: ${2:./data/train.jsonl}",
  "  eval: { from: train, share: 0.05 }",
  "  max_length: 512",
];

const train = [
  "train:",
  "  num_train_epochs: 3",
  "  batch_size: 32",
  "  learning_rate: 2.0e-4",
  "  lr_scheduler_type: cosine",
  "  warmup_steps: 0.05",
  "$0",
];

const lora = [
  "method:",
  "  type: lora",
  "  r: ${3:16}",
  "  alpha: 2r",
  "  target_modules: all-linear",
];

const all: readonly Sketch[] = [
  {
    label: "experiment: LoRA",
    doc: "LoRA on all linear layers of a language model.",
    lines: [...begin, ...lora, ...train],
  },
  {
    label: "experiment: QLoRA",
    doc: "LoRA beside a base that is held in NF4, four bits a weight.",
    lines: [...begin, "quantization: nf4", ...lora, ...train],
  },
  {
    label: "experiment: classification",
    doc: "LoRA on an encoder, with a new head for the labels of the data.",
    lines: [
      "version: 1",
      "model: ${1:roberta-base}",
      "task: sequence-classification",
      "data:",
      "  train: ${2:./data/train.jsonl}",
      "  eval: { from: train, share: 0.1 }",
      "  columns: { text: ${4:text}, label: ${5:label} }",
      ...lora,
      ...train,
    ],
  },
];

/** Offered in a document without a model, a method and data. */
export function sketches({ written }: Analysis): readonly Suggestion[] {
  const keys = written().entries.map(({ key }) => key);
  if (["model", "data", "method"].some((key) => keys.includes(key))) return [];
  const lead = keys.includes("version") ? 1 : 0;
  return all.map(({ label, doc, lines }) => ({
    label,
    kind: "sketch",
    insert: lines.slice(lead).join("\n"),
    snippet: true,
    doc,
    rank: 0,
  }));
}
