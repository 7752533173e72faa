/** @file Writes the sample's data, tokenizer, and a model with random weights to pre-train. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { elementCount } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import { readModel } from "../../engine/models/registry.ts";
import { randomNumbers } from "../../engine/session/draw.ts";
import { writeSafetensors } from "../../engine/weights/write-safetensors.ts";
import { isRecord } from "../../shared/wire.ts";
import { endOfText, trainTokenizer } from "./tokenizer.ts";
import type { Draw, Example, Part } from "./world.ts";
import { drawing, paragraph, plainExample, task } from "./world.ts";

/** Where the random numbers of each text begin. */
const seeds = {
  pretraining: 11,
  general: 12,
  train: 21,
  eval: 22,
  test: 23,
  model: 31,
} as const;

/** Lines of the task's files. */
const taskLines: Readonly<Record<Part, number>> = { train: 3000, eval: 256, test: 512 };

/** One in so many lines of the training data is plain text. */
const plainEvery = 10;

/** Task data and general text, as they are committed. */
export async function writeTaskData(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const part of ["train", "eval", "test"] as const) {
    const draw = drawing(seeds[part]);
    const example = (index: number): Example =>
      part === "train" && index % plainEvery === 0 ? plainExample(part, draw) : task(part, draw);
    await writeFile(
      join(folder, `${part}.jsonl`),
      lines(taskLines[part], (index) => JSON.stringify(example(index))),
    );
  }
  await writeGeneralText(folder);
}

/** What the base is pre-trained on, made when it is needed and not committed; and what it is measured on. */
export async function writePretrainingData(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeText(join(folder, "text.txt"), 60_000, "train", drawing(seeds.pretraining));
  await writeGeneralText(folder);
}

async function writeGeneralText(folder: string): Promise<void> {
  await writeText(join(folder, "general.txt"), 400, "test", drawing(seeds.general));
}

async function writeText(file: string, count: number, part: Part, draw: Draw): Promise<void> {
  await writeFile(
    file,
    lines(count, () => paragraph(part, draw)),
  );
}

function lines(count: number, line: (index: number) => string): string {
  return `${Array.from({ length: count }, (_, index) => line(index)).join("\n")}\n`;
}

/** A model folder with tokenizer and normally distributed weights, whose deviation suits the width: about 1/√160. */
export async function writeBlankModel(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // The tokenizer learns from the text that the model is trained on, and knows nothing of the task.
  const draw = drawing(seeds.pretraining);
  const texts = Array.from({ length: 3000 }, () => paragraph("train", draw));
  const tokenizer = trainTokenizer(texts, 600);
  const config = modelConfig(vocabularySize(tokenizer));
  const { value: model } = readModel(config, "config.json", "causal-lm");
  invariant(model, "the sample's config is a model");
  const random = randomNumbers(seeds.model);
  const specs = new Map(
    model.blocks.flatMap(({ tensors }) => tensors.map((tensor) => [tensor.source, tensor])),
  );
  const tensors = [...specs.values()].map(({ source, shape, role }) => {
    const values = new Float32Array(elementCount(shape));
    random.start(source, shape, role === "norm" ? "ones" : { normal: 0.08 }, values);
    return {
      name: source,
      dtype: "float32" as const,
      shape,
      chunks: () => [new Uint8Array(values.buffer)],
    };
  });
  await writeSafetensors(join(folder, "model.safetensors"), tensors, { format: "pt" });
  const json = (name: string, value: unknown): Promise<void> =>
    writeFile(join(folder, name), `${JSON.stringify(value, null, 1)}\n`);
  await json("config.json", config);
  await json("tokenizer.json", tokenizer);
  await json("tokenizer_config.json", {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: endOfText,
    eos_token: endOfText,
    pad_token: endOfText,
    model_max_length: 256,
  });
}

/** 1.6 million parameters. */
function modelConfig(vocabulary: number): Readonly<Record<string, unknown>> {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_size: 160,
    intermediate_size: 448,
    num_hidden_layers: 5,
    num_attention_heads: 5,
    num_key_value_heads: 5,
    head_dim: 32,
    vocab_size: vocabulary,
    max_position_embeddings: 256,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    hidden_act: "silu",
    tie_word_embeddings: true,
    bos_token_id: 0,
    eos_token_id: 0,
    torch_dtype: "float32",
  };
}

/** Rounded up to a multiple of 16. */
function vocabularySize(tokenizer: unknown): number {
  const model = isRecord(tokenizer) ? tokenizer["model"] : undefined;
  const vocab = isRecord(model) ? model["vocab"] : undefined;
  invariant(isRecord(vocab), "the tokenizer has no vocabulary");
  return Math.ceil(Object.keys(vocab).length / 16) * 16;
}
