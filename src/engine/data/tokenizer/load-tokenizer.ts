/** @file Reads a tokenizer from a model folder. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeUtf8 } from "../../../shared/encoding.ts";
import { UserError, messageOf } from "../../../shared/errors.ts";
import { isRecord } from "../../../shared/wire.ts";
import { asList } from "./json-value.ts";
import { createTokenizer, type Tokenizer } from "./tokenizer.ts";

export interface LoadedTokenizer extends Tokenizer {
  /** The folder's chat templates by name; the one that is used unless another is asked for is `default`. */
  readonly chatTemplates: ReadonlyMap<string, string>;
}

/** A file larger than this is no tokenizer; the largest known have some 35 MB. */
const largestFile = 256 * 2 ** 20;

/**
 * Reads `tokenizer.json`, and `tokenizer_config.json`, `special_tokens_map.json` and `chat_template.jinja`
 * where the folder has them. Throws a UserError that names the file and the remedy.
 */
export async function loadTokenizer(folder: string): Promise<LoadedTokenizer> {
  const file = join(folder, "tokenizer.json");
  const text = await readIfThere(file);
  if (text === undefined) throw await missingTokenizer(folder);
  const config = await readJsonIfThere(join(folder, "tokenizer_config.json"));
  const tokenizer = createTokenizer({
    tokenizer: { file, value: parse(file, text) },
    config,
    specialTokens: await readJsonIfThere(join(folder, "special_tokens_map.json")),
  });
  const chatTemplates = new Map(namedTemplates(config?.value));
  const template = await readIfThere(join(folder, "chat_template.jinja"));
  if (template !== undefined) chatTemplates.set("default", template);
  return { ...tokenizer, chatTemplates };
}

/** `chat_template` is one template, or a list of named ones. */
function namedTemplates(config: unknown): readonly (readonly [string, string])[] {
  const value = isRecord(config) ? config.chat_template : undefined;
  if (typeof value === "string") return [["default", value]];
  return (asList(value) ?? []).flatMap((entry) =>
    isRecord(entry) && typeof entry.name === "string" && typeof entry.template === "string"
      ? [[entry.name, entry.template] as const]
      : [],
  );
}

async function readIfThere(file: string): Promise<string | undefined> {
  const size = await stat(file).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );
  if (size === undefined) return undefined;
  if (size > largestFile)
    throw new UserError({
      code: "malformed-tokenizer",
      message: `The file has ${size} bytes, far more than any tokenizer.`,
      place: { file },
      remedy: "Take the file again from where the model came from.",
    });
  try {
    return textOf(await readFile(file), file);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError({
      code: "unreadable-file",
      message: `The file cannot be read: ${messageOf(cause)}`,
      place: { file },
      remedy: "Check that you may read it.",
      cause,
    });
  }
}

/** The text without its byte-order mark. */
function textOf(bytes: Uint8Array, file: string): string {
  const text = decodeUtf8(bytes);
  if (typeof text === "string") return text.replace(/^\ufeff/, "");
  throw new UserError({
    code: "malformed-tokenizer",
    message: `The file is ${text.message}.`,
    place: { file },
    remedy: text.remedy,
  });
}

async function readJsonIfThere(
  file: string,
): Promise<{ readonly file: string; readonly value: unknown } | undefined> {
  const text = await readIfThere(file);
  return text === undefined ? undefined : { file, value: parse(file, text) };
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UserError({
      code: "malformed-tokenizer",
      message: `The file is no JSON: ${messageOf(cause)}`,
      place: { file },
      remedy: "Take the file again from where the model came from; it may be cut short.",
      cause,
    });
  }
}

async function missingTokenizer(folder: string): Promise<UserError> {
  const names = await readdir(folder).catch((): string[] => []);
  const older = ["tokenizer.model", "vocab.json", "vocab.txt"].find((name) => names.includes(name));
  return new UserError({
    code: "missing-tokenizer",
    message: "The model's folder has no tokenizer.json.",
    place: { file: join(folder, "tokenizer.json") },
    remedy:
      older === undefined
        ? "Copy tokenizer.json and tokenizer_config.json into it from where the model came from."
        : `It has the older ${older}: load the tokenizer with transformers and save it again, which writes tokenizer.json.`,
  });
}
