/** @file What of a model folder is not its weights: tokenizer, templates, licence, and the configuration without what it says of them. */
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";

/** As transformers names them. */
const filesBeside: ReadonlySet<string> = new Set(
  (
    "generation_config.json tokenizer.json tokenizer_config.json special_tokens_map.json added_tokens.json " +
    "vocab.json vocab.txt merges.txt tokenizer.model sentencepiece.bpe.model spiece.model " +
    "chat_template.jinja chat_template.json LICENSE LICENSE.txt NOTICE"
  ).split(" "),
);

/** A configuration whose weights are floats now, whatever they were. */
export function unquantized(
  config: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const kept = Object.entries(config).filter(([field]) => field !== "quantization_config");
  return Object.fromEntries(kept);
}

/** Copies them from one model folder to another. */
export async function copyFilesBeside(from: string, to: string): Promise<void> {
  for (const name of await readdir(from))
    if (filesBeside.has(name)) await copyFile(join(from, name), join(to, name));
}
