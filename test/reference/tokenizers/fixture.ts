/** @file Reads what make.py wrote. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { createTokenizer, type Tokenizer } from "../../../src/engine/data/tokenizer/tokenizer.ts";

export const names = [
  "gpt2",
  "roberta",
  "llama3",
  "qwen2",
  "llama2",
  "llama2-first",
  "bert-uncased",
  "bert-cased",
  "unigram-t5",
  "unigram-bytes",
] as const;

/** What Python made of every twentieth line (with the seventh line after it as its pair). */
export interface Expected {
  readonly tokenizer: unknown;
  readonly config: unknown;
  readonly size: number;
  readonly offsets: readonly (readonly number[])[];
  readonly pairs: readonly (readonly [ids: readonly number[], typeIds: readonly number[]])[];
  readonly truncated: readonly (readonly number[])[];
  readonly singles: readonly (readonly number[])[];
  readonly decoded: readonly string[];
  readonly plain: readonly string[];
  /** A hash over the ids of each character of a block of code points. */
  readonly characters: readonly string[];
}

export const lines = readLines();

export function loadFixture(name: (typeof names)[number]): {
  readonly tokenizer: Tokenizer;
  readonly expected: Expected;
  readonly ids: readonly Uint16Array[];
} {
  const expected = readJson(`${name}.json.gz`);
  if (!isExpected(expected)) throw new Error(`${name}.json.gz is not what make.py writes`);
  const tokenizer = createTokenizer({
    tokenizer: { file: "tokenizer.json", value: expected.tokenizer },
    config: { file: "tokenizer_config.json", value: expected.config },
  });
  return { tokenizer, expected, ids: name === "roberta" ? [] : readIds(`${name}.ids.gz`) };
}

/** Where two lists differ first, in words. */
export function firstDifference(
  got: ArrayLike<number>,
  wanted: ArrayLike<number>,
): string | undefined {
  for (let index = 0; index < Math.max(got.length, wanted.length); index += 1)
    if (got[index] !== wanted[index])
      return `at ${index} ${got[index] ?? "nothing"}, not ${wanted[index] ?? "nothing"}`;
  return undefined;
}

function readLines(): readonly string[] {
  const value = readJson("lines.json.gz");
  if (!isLines(value)) throw new Error("lines.json.gz is no list of lines");
  return value;
}

function readIds(name: string): readonly Uint16Array[] {
  const bytes = readFixture(name);
  const values = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const ids: Uint16Array[] = [];
  for (let start = 0; start < values.length; start += 1 + (values[start] ?? 0))
    ids.push(values.subarray(start + 1, start + 1 + (values[start] ?? 0)));
  return ids;
}

function readJson(name: string): unknown {
  return JSON.parse(readFixture(name).toString());
}

function isLines(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((line) => typeof line === "string");
}

function isExpected(value: unknown): value is Expected {
  return typeof value === "object" && value !== null && "singles" in value && "characters" in value;
}

function readFixture(name: string): Buffer {
  return gunzipSync(readFileSync(join(import.meta.dirname, "fixtures", name)));
}
