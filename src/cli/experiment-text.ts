/** @file The text of an experiment file, or what stands in its place. */
import { readdirSync, readFileSync, statSync, type Stats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorCode } from "../engine/runs/file-errors.ts";
import { decodeUtf8 } from "../shared/encoding.ts";
import { UserError } from "../shared/errors.ts";
import type { Unreadable } from "../shared/experiment/extends.ts";

/** `undefined` where there is nothing. */
export function experimentText(path: string): string | Unreadable | undefined {
  try {
    // Asked before it is opened: a pipe opens only when somebody writes.
    return noExperiment(path, statSync(path)) ?? textOf(readFileSync(path));
  } catch (error) {
    return refused(error);
  }
}

/** The text; a {@link UserError} where there is none. `named` is what the file is called in messages. */
export async function requireExperimentText(path: string, named: string): Promise<string> {
  const text = await stat(path)
    .then(async (about) => noExperiment(path, about) ?? textOf(await readFile(path)))
    .catch(refused);
  return usableText(text, path, named);
}

/** As {@link requireExperimentText} of what {@link experimentText} has read. */
export function usableText(
  text: string | Unreadable | undefined,
  path: string,
  named: string,
): string {
  if (typeof text === "string") return text;
  if (text === undefined)
    throw new UserError({
      code: "no-such-file",
      message: `There is no experiment file ${named}.`,
      remedy: `${otherPath}${besides(dirname(path))}`,
    });
  const { is, remedy, line } = text;
  throw new UserError({
    code: "invalid-experiment",
    message: `${named} is ${is}.`,
    ...(line !== undefined && { place: { file: path, line } }),
    remedy,
  });
}

const otherPath = "Give the path of a .peft.yaml file.";

/** The first of the experiment files of a folder, which a name was perhaps meant for. */
function besides(folder: string): string {
  try {
    const names = readdirSync(folder).filter((name) => /\.peft\.ya?ml$/i.test(name));
    return names.length === 0 ? "" : ` That folder has ${names.toSorted().slice(0, 5).join(", ")}.`;
  } catch {
    // There is no such folder either.
    return "";
  }
}

/** Experiment files are small: what is not a file, or far larger than any, is not read. */
const largestFile = 1 << 24;

/** Kinds of files that experiments name, and that are none. */
const dataFile = /\.(?:jsonl|ndjson|csv|parquet|txt|safetensors)$/i;

function noExperiment(path: string, about: Stats): Unreadable | undefined {
  if (about.isDirectory()) return { is: "a folder", remedy: otherPath };
  if (!about.isFile()) return { is: "not a file", remedy: otherPath };
  if (dataFile.test(path))
    return {
      is: "no experiment file but what one names, such as in `data.train`",
      remedy: otherPath,
    };
  if (about.size <= largestFile) return undefined;
  const is = `${about.size} bytes long; an experiment file has ${largestFile} at most`;
  return { is, remedy: otherPath };
}

function textOf(bytes: Buffer): string | Unreadable {
  const text = decodeUtf8(bytes);
  if (typeof text === "string") return text;
  const line = bytes.subarray(0, text.offset).toString("latin1").split("\n").length;
  return { is: text.message, remedy: text.remedy, ...(text.offset > 0 && { line }) };
}

function refused(error: unknown): Unreadable | undefined {
  return errorCode(error) === "EACCES"
    ? { is: "not yours to read", remedy: "Give yourself the right to read it." }
    : undefined;
}
