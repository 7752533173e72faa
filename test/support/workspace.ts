/** @file A workspace for tests of the command line: a tiny model of random weights, its tokenizer, data, an experiment. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Task } from "../../src/engine/models/architecture.ts";
import { readModel } from "../../src/engine/models/registry.ts";
import { invariant } from "../../src/shared/errors.ts";
import type { Fill } from "../reference/deterministic.ts";
import { writeModelFolder } from "../reference/models/folder.ts";
import { byteTokenizerConfig, byteTokenizerFile } from "../unit/engine/data/tokenizer/small.ts";
import { scratch } from "../unit/engine/runs/scratch.ts";

export type Config = Readonly<Record<string, unknown>>;

export const tinyLlama: Config = {
  model_type: "llama",
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 264,
  max_position_embeddings: 64,
  tie_word_embeddings: true,
};

export const tinyGpt2: Config = {
  model_type: "gpt2",
  n_embd: 32,
  n_layer: 2,
  n_head: 4,
  vocab_size: 264,
  n_positions: 64,
};

export const tinyBert: Config = {
  model_type: "bert",
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 32,
  max_position_embeddings: 32,
};

export const tinyExperiment = `version: 1
model: ./model
data: { train: ./train.jsonl, eval: ./eval.jsonl, max_length: 64 }
method: { type: lora, r: 4, alpha: 2r, target_modules: all-linear }
train: { max_steps: 2, batch_size: 8, learning_rate: 1.0e-2 }
eval: { every: end }
run: { threads: 1, report_to: [] }
`;

/** A folder with `model/`, `train.jsonl`, `eval.jsonl` and `a.peft.yaml`, gone after the test. */
export function makeWorkspace(t: TestContext, experiment = tinyExperiment): string {
  const folder = scratch(t);
  // A run folder must not be looked for above it.
  mkdirSync(join(folder, ".git"));
  writeTinyModel(join(folder, "model"), tinyLlama, "causal-lm");
  writeFileSync(join(folder, "train.jsonl"), tinyRows(64, 0));
  writeFileSync(join(folder, "eval.jsonl"), tinyRows(12, 64));
  writeFileSync(join(folder, "a.peft.yaml"), experiment);
  return folder;
}

/** Lines of prompts and completions with something to learn; `from` is the number of the first. */
export function tinyRows(count: number, from: number): string {
  const names = ["Ann", "Bob", "Cyd"];
  return Array.from({ length: count }, (_, index) => {
    const name = names[(from + index) % names.length];
    return `${JSON.stringify({ prompt: `${from + index}. ${name} waits. Who? `, completion: name })}\n`;
  }).join("");
}

/** A model of uniform random weights with the tokenizer of bytes; `without` leaves tensors out by their names. */
export function writeTinyModel(folder: string, config: Config, task: Task, without = /^$/): void {
  const { value: model, findings } = readModel(config, "config.json", task);
  invariant(model, findings.map(({ message }) => message).join(" "));
  const fills = new Map(
    model.blocks
      .flatMap(({ tensors }) => tensors)
      .filter(({ source }) => !without.test(source))
      .map(({ source, shape, role, transposed }): [string, Fill] => [
        source,
        {
          name: source,
          shape: transposed ? shape.toReversed() : shape,
          scale: role === "norm" || role === "bias" ? 0.01 : 0.1,
          offset: role === "norm" ? 1 : 0,
        },
      ]),
  );
  writeModelFolder(folder, { config, tensors: [...fills.values()] });
  writeTokenizer(folder, byteTokenizerFile, byteTokenizerConfig);
}

export function writeTokenizer(folder: string, tokenizer: object, config: object): void {
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
  writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(config));
}

/** A tokenizer of whole words that lays texts out as BERT's does. */
export function writeWordTokenizer(folder: string, words: readonly string[]): void {
  const names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ...words];
  const tokenizer = {
    model: {
      type: "WordLevel",
      unk_token: "[UNK]",
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
    },
    pre_tokenizer: { type: "WhitespaceSplit" },
    post_processor: { type: "BertProcessing", cls: ["[CLS]", 2], sep: ["[SEP]", 3] },
    added_tokens: [],
  };
  const config = { pad_token: "[PAD]", cls_token: "[CLS]", sep_token: "[SEP]" };
  writeTokenizer(folder, tokenizer, config);
}
