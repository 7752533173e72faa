/** @file Sweeps on the disk: `.spectune/sweeps/<time>-<name>/` with the document and the record of its runs. */
import { mkdir, readFile, readdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { isTemporaryName, makeFolder, writeFileAtomic } from "../runs/atomic.ts";
import { errorCode, explainingWrites, reachable, unlessMissing } from "../runs/file-errors.ts";
import { idsNamed } from "../runs/run-folder.ts";
import { stampedName } from "./stamped-name.ts";
import type { SweepRecord } from "./sweep-record.ts";
import { decodeRecord, encodeRecord } from "./sweep-record.ts";

/** What lies in a sweep's folder besides `attempts/`. */
const layout = {
  /** What the experiment's files said, merged, before any default: the sweep is expanded from it. */
  document: "sweep.yaml",
  /** A folder without it is no sweep. */
  record: "sweep.json",
} as const;

export function sweepsFolder(spectuneFolder: string): string {
  return join(spectuneFolder, "sweeps");
}

/** The `.spectune` folder that a sweep belongs to. */
export function spectuneOf(sweepFolder: string): string {
  return dirname(dirname(resolve(sweepFolder)));
}

/** Makes a sweep's folder under a name of its own, even where several processes do so at once. */
export async function createSweep(
  spectuneFolder: string,
  record: SweepRecord,
  document: string,
): Promise<string> {
  const sweeps = sweepsFolder(spectuneFolder);
  await makeFolder(sweeps);
  const folder = await explainingWrites(sweeps, async () => {
    for (let again = 1; ; again += 1) {
      const path = join(sweeps, stampedName(record.name, record.created, again));
      if (await made(path)) return path;
    }
  });
  await writeFileAtomic(documentFile(folder), document);
  await saveRecord(folder, record);
  return folder;
}

export async function saveRecord(sweepFolder: string, record: SweepRecord): Promise<void> {
  await writeFileAtomic(join(sweepFolder, layout.record), encodeRecord(record));
}

/** The record of a sweep; a {@link UserError} where it is missing or damaged. */
export async function loadRecord(sweepFolder: string): Promise<SweepRecord> {
  const file = join(sweepFolder, layout.record);
  const written = await unlessMissing(readFile(file, "utf8"));
  const record = written === undefined ? { problem: "it is not there" } : decodeRecord(written);
  if (!("problem" in record)) return record;
  throw new UserError({
    code: "damaged-sweep",
    message: `The record of the sweep cannot be read: ${record.problem}.`,
    place: { file },
    remedy: "The runs themselves are whole: compare them one by one, or start the sweep anew.",
  });
}

export function recordFile(sweepFolder: string): string {
  return join(sweepFolder, layout.record);
}

export function documentFile(sweepFolder: string): string {
  return join(sweepFolder, layout.document);
}

/** The names of the sweeps of a `.spectune` folder, newest first. */
export async function listSweeps(spectuneFolder: string): Promise<readonly string[]> {
  const sweeps = sweepsFolder(spectuneFolder);
  const names: string[] = [];
  for (const name of ((await unlessMissing(readdir(sweeps))) ?? []).toSorted().toReversed())
    if (!isTemporaryName(name) && (await isSweep(join(sweeps, name)))) names.push(name);
  return names;
}

/**
 * The folder of the sweep that the user names: a path, a name, or the unambiguous part of one; `undefined`
 * where there is none. A {@link UserError} where there are several.
 */
export async function findSweep(
  reference: string,
  spectuneFolder: string,
  cwd: string,
): Promise<string | undefined> {
  const path = resolve(cwd, reference);
  if (await isSweep(path)) return path;
  const names = await listSweeps(spectuneFolder);
  const matching = idsNamed(reference, names);
  const [only, ...others] = matching;
  if (others.length > 0)
    throw new UserError({
      code: "ambiguous-sweep",
      message: `"${reference}" is the name of ${matching.length} sweeps.`,
      remedy: `Give the path of a sweep's folder or one of: ${matching.slice(0, 5).join(", ")}.`,
    });
  return only === undefined ? undefined : join(sweepsFolder(spectuneFolder), only);
}

async function isSweep(folder: string): Promise<boolean> {
  return (await reachable(join(folder, layout.record)))?.isFile() ?? false;
}

/** Whether the folder is ours: false where the name is taken. */
async function made(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}
