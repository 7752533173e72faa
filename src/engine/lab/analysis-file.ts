/** @file `analysis/*.json`: versioned results with their provenance, written matrix by matrix and gone on from. */
import { createHash } from "node:crypto";
import { appendFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Provenance } from "../../shared/analysis-documents.ts";
import { analysisVersion } from "../../shared/analysis-documents.ts";
import { isRecord, parseJson } from "../../shared/wire.ts";
import { makeFolder, writeFileAtomic } from "../runs/atomic.ts";
import { explainingWrites, unlessMissing } from "../runs/file-errors.ts";
import { holdFile } from "./hold-file.ts";
import type { NamedArray } from "./side-arrays.ts";
import { openSideArrays } from "./side-arrays.ts";

/** What a matrix's record is recognised by. */
export interface Hashed {
  readonly name: string;
  readonly baseHash: string;
  readonly tunedHash: string;
}

/** How a document begins; `complete` is false where the work was interrupted. */
export type Finished = Pick<Provenance, "version" | "versions" | "time" | "complete"> & {
  readonly kind: string;
};

export interface AnalysisFile<R extends Hashed> {
  readonly path: string;
  /** Records of an earlier call that was interrupted or finished, by name and both hashes. */
  readonly found: (name: string, baseHash: string, tunedHash: string) => R | undefined;
  /** Keeps one more with its arrays, so that it outlives the process. */
  readonly add: (record: R, arrays: readonly NamedArray[]) => Promise<void>;
  /** Writes the file; the journal goes when it is complete. */
  readonly finish: (
    provenance: Finished,
    records: readonly R[],
    more: Readonly<Record<string, unknown>>,
  ) => Promise<void>;
  /** Lets other processes have it. */
  readonly close: () => Promise<void>;
}

/**
 * Opens the file of one question: `identity` is everything that its answer hangs on. A journal
 * beside it holds a matrix a line, so that whatever ends the process leaves those that are done.
 * `is` tells a record of this kind; a line that was cut off or is of another form is passed over, and so is a
 * record whose arrays (`arraysOf` names them) are gone. A {@link UserError} where another process has the file.
 */
export async function openAnalysisFile<R extends Hashed>(
  folder: string,
  name: string,
  identity: unknown,
  is: (value: unknown) => value is R,
  arraysOf: (record: R) => readonly string[],
): Promise<AnalysisFile<R>> {
  await makeFolder(folder);
  const key = createHash("sha256")
    .update(JSON.stringify({ version: analysisVersion, identity }))
    .digest("hex")
    .slice(0, 12);
  const stem = join(folder, `${name}-${key}`);
  const close = await holdFile(`${stem}.lock`, `${stem}.json`);
  try {
    return { ...(await gathering(stem, is, arraysOf)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function gathering<R extends Hashed>(
  stem: string,
  is: (value: unknown) => value is R,
  arraysOf: (record: R) => readonly string[],
): Promise<Omit<AnalysisFile<R>, "close">> {
  const path = `${stem}.json`;
  const journal = `${stem}.journal.ndjson`;
  const arrays = await openSideArrays(`${stem}.safetensors`, `${stem}.arrays`);
  const known = new Map<string, R>();
  const keep = (value: unknown): void => {
    if (is(value) && arraysOf(value).every(arrays.has))
      known.set(idOf(value.name, value.baseHash, value.tunedHash), value);
  };
  const whole = parsed(await unlessMissing(readFile(path, "utf8")));
  if (isRecord(whole) && Array.isArray(whole["matrices"])) whole["matrices"].forEach(keep);
  const lines = (await unlessMissing(readFile(journal, "utf8"))) ?? "";
  for (const line of lines.split("\n")) keep(parsed(line));
  // What was cut off in the midst of a line would spoil the next one.
  if (lines !== "" && !lines.endsWith("\n")) await appendFile(journal, "\n");
  return {
    path,
    found: (...id) => known.get(idOf(...id)),
    async add(record, own) {
      for (const array of own) await arrays.add(array);
      await explainingWrites(journal, () => appendFile(journal, `${JSON.stringify(record)}\n`));
    },
    async finish(provenance, records, more) {
      await arrays.finish(records.flatMap(arraysOf));
      const json = JSON.stringify({ ...provenance, ...more, matrices: records });
      await writeFileAtomic(path, `${json}\n`);
      if (provenance.complete) await rm(journal, { force: true });
      else await writeFile(journal, records.map((one) => `${JSON.stringify(one)}\n`).join(""));
    },
  };
}

function idOf(name: string, baseHash: string, tunedHash: string): string {
  return `${name} ${baseHash} ${tunedHash}`;
}

function parsed(text: string | undefined): unknown {
  if (text === undefined || text.trim() === "") return undefined;
  return parseJson(text);
}
