/** @file Model folders of a real shape with random weights, made once in the temporary folder, and data to train them on. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { copyFile, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { elementCount } from "../../../src/shared/dtypes.ts";
import type { Task } from "../../../src/engine/models/architecture.ts";
import { readModel } from "../../../src/engine/models/registry.ts";
import { randomNumbers } from "../../../src/engine/session/draw.ts";
import { writeSafetensors } from "../../../src/engine/weights/write-safetensors.ts";

export type Config = Readonly<Record<string, unknown>>;

/** HuggingFaceTB/SmolLM-135M. */
export const smolLM: Config = {
  model_type: "llama",
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  vocab_size: 49152,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};

/** Qwen/Qwen2.5-0.5B. */
export const qwen05: Config = {
  model_type: "qwen2",
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  vocab_size: 151936,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  tie_word_embeddings: true,
};

const sample = join(import.meta.dirname, "../../../media/sample/base");

export interface RandomModelOptions {
  readonly task?: Task;
  readonly dtype?: "float32" | "bfloat16";
}

/** The folder of a model of that shape, by name; its weights are normal with deviation 0.02. */
export async function randomModel(
  name: string,
  config: Config,
  { task = "causal-lm", dtype = "float32" }: RandomModelOptions = {},
): Promise<string> {
  const folder = join(tmpdir(), "spectune-bench", name);
  if (existsSync(join(folder, "model.safetensors"))) return folder;
  mkdirSync(folder, { recursive: true });
  const { value: model } = readModel(config, "config.json", task);
  assert(model);
  const random = randomNumbers(1);
  const specs = new Map(
    model.blocks.flatMap(({ tensors }) => tensors.map((tensor) => [tensor.source, tensor])),
  );
  const tensors = [...specs.values()].map(({ source, shape, role, transposed }) => ({
    name: source,
    dtype,
    shape: transposed ? shape.toReversed() : shape,
    chunks() {
      const values = new Float32Array(elementCount(shape));
      random.start(source, shape, role === "norm" ? "ones" : { normal: 0.02 }, values);
      return [dtype === "float32" ? new Uint8Array(values.buffer) : upperHalves(values)];
    },
  }));
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  for (const file of ["tokenizer.json", "tokenizer_config.json"])
    await copyFile(join(sample, file), join(folder, file));
  // Under its own name only when it is whole.
  await writeSafetensors(join(folder, "partial.safetensors"), tensors, { format: "pt" });
  await rename(join(folder, "partial.safetensors"), join(folder, "model.safetensors"));
  return folder;
}

/** bfloat16 by cutting off. */
function upperHalves(values: Float32Array<ArrayBuffer>): Uint8Array {
  const both = new Uint16Array(values.buffer);
  // `filter` and `from` would gather the elements of a whole table in an array of objects first.
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = both[2 * i + 1] ?? 0;
  return new Uint8Array(halves.buffer);
}

const vocabulary = "the red cup is on table Mia put blue key in drawer where who".split(" ");

function line(words: number, seed: number): string {
  return Array.from(
    { length: words },
    (_, i) => vocabulary[(i * 7 + seed * 13 + ((i * i) % 11)) % vocabulary.length],
  ).join(" ");
}

function written(file: string, lines: number, row: (index: number) => string): string {
  writeFileSync(file, Array.from({ length: lines }, (_, index) => row(index)).join("\n"));
  return file;
}

/** A text file of lines that are longer than any batch. */
export function longText(folder: string, lines: number, words: number): string {
  return written(join(folder, `text-${lines}-${words}.txt`), lines, (i) => line(words, i));
}

/** From an eighth of so many words to all of them. */
const share = (index: number): number => (1 + ((index * 5) % 8)) / 8;

/** Lines of up to half as many words, of many lengths. */
export function variedText(folder: string, lines: number, words: number): string {
  return written(join(folder, `varied-${lines}-${words}.txt`), lines, (i) =>
    line(Math.ceil((words / 2) * share(i)), i),
  );
}

/** Prompts of many lengths, each with an answer of up to a dozen words. */
export function prompts(folder: string, lines: number, words: number): string {
  return written(join(folder, `prompts-${lines}-${words}.jsonl`), lines, (i) =>
    JSON.stringify({
      prompt: line(Math.ceil((words / 4) * share(i)), i),
      completion: ` ${line(1 + (i % 12), i + 1)}`,
    }),
  );
}

/** Texts of about so many words with one of two labels. */
export function labelledText(folder: string, lines: number, words: number): string {
  return written(join(folder, `labelled-${lines}-${words}.jsonl`), lines, (index) =>
    JSON.stringify({
      text: "the red cup is on the table ".repeat(Math.ceil(words / 7)),
      label: index % 2 === 0 ? "yes" : "no",
    }),
  );
}
