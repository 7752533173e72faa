/** @file Checkpoints of a run: whole folders with a manifest, of which some are kept. */
import { createHash } from "node:crypto";
import { open, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checked, Finding } from "../../shared/findings.ts";
import { count, isProblem, mapOf, object, parseJson, text } from "../../shared/wire.ts";
import { hashContent } from "../weights/content-hash.ts";
import {
  ensureFreeSpace,
  makeFolder,
  removeFolderAtomic,
  removeLeftovers,
  writeFolderAtomic,
} from "./atomic.ts";
import {
  errorCode,
  explainingWrites,
  reachable,
  runFolderGone,
  unlessMissing,
} from "./file-errors.ts";

export function checkpointsFolder(runFolder: string): string {
  return join(runFolder, "checkpoints");
}

export function checkpointFolder(runFolder: string, step: number): string {
  return join(checkpointsFolder(runFolder), `step-${step}`);
}

export interface NewCheckpoint {
  /** Steps done; the folder is named after it. */
  readonly step: number;
  /** Bytes that `write` is going to write, for a look at the free space before. */
  readonly bytes: number;
  /** Everything but tensors; JSON, and the same bytes for the same training. */
  readonly state: unknown;
  /** Writes the tensors as files into the folder. */
  readonly write: (folder: string) => Promise<void>;
  /** The last moment before it takes its name: flush the events, check the ownership. */
  readonly beforeRename: () => Promise<void>;
}

/** A checkpoint on the disk. */
export interface Checkpoint {
  readonly step: number;
  readonly folder: string;
  readonly state: unknown;
}

/**
 * Saves a checkpoint whole or not at all and returns its bytes on the disk. It holds no time and
 * no name of a machine: the same training makes the same bytes. A {@link UserError} `no-space-left`
 * before anything is written where the disk lacks the room.
 */
export async function saveCheckpoint(
  runFolder: string,
  checkpoint: NewCheckpoint,
): Promise<number> {
  const path = checkpointFolder(runFolder, checkpoint.step);
  // A run folder is made whole, with its experiment, and never again in part.
  if ((await reachable(runFolder)) === undefined) throw runFolderGone(runFolder);
  await makeFolder(checkpointsFolder(runFolder));
  await ensureFreeSpace(checkpointsFolder(runFolder), checkpoint.bytes);
  let bytes = 0;
  const build = async (folder: string) => {
    await checkpoint.write(folder);
    await writeFile(join(folder, stateName), `${JSON.stringify(checkpoint.state, null, 2)}\n`);
    const files = await describeFiles(folder);
    await writeFile(
      join(folder, manifestName),
      `${JSON.stringify({ version: 1, files }, null, 2)}\n`,
    );
    bytes = Object.values(files).reduce((sum, file) => sum + file.bytes, 0);
  };
  await writeFolderAtomic(path, build, checkpoint.beforeRename);
  return bytes;
}

/**
 * For the owner of the run: the newest checkpoint whose files are those of its manifest. Damaged
 * ones and leftovers of killed writers are removed, each with a remark, so that none of them
 * counts as the newest later. `undefined` where there is none.
 */
export async function resumeCheckpoint(
  runFolder: string,
  now: number,
): Promise<Checked<Checkpoint | undefined>> {
  await removeLeftovers(checkpointsFolder(runFolder), "any", now);
  const findings: Finding[] = [];
  for (const step of (await listCheckpoints(runFolder)).toReversed()) {
    const { value, findings: damage } = await loadCheckpoint(runFolder, step);
    findings.push(...damage);
    if (value !== undefined) return { value, findings };
    await removeFolderAtomic(checkpointFolder(runFolder, step));
  }
  return { value: undefined, findings };
}

/** One checkpoint, if its files are those of its manifest; a finding says which one is not. */
export async function loadCheckpoint(
  runFolder: string,
  step: number,
): Promise<Checked<Checkpoint | undefined>> {
  const folder = checkpointFolder(runFolder, step);
  const damage = await damageOf(folder);
  if (damage === undefined) {
    const state = parseJson(await readFile(join(folder, stateName), "utf8"));
    return { value: { step, folder, state }, findings: [] };
  }
  const message = `The checkpoint of step ${step} is damaged: ${damage}.`;
  const place = { file: folder };
  return {
    value: undefined,
    findings: [{ code: "damaged-checkpoint", severity: "warning", message, place }],
  };
}

/** The steps that have a checkpoint, in order. */
export async function listCheckpoints(runFolder: string): Promise<readonly number[]> {
  const names = (await unlessMissing(readdir(checkpointsFolder(runFolder)))) ?? [];
  return names
    .flatMap((name) => /^step-(0|[1-9]\d{0,14})$/.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** Removes the checkpoints that `keep` does not ask for; returns their steps. */
export async function pruneCheckpoints(
  runFolder: string,
  keep: number,
  best: number | undefined,
): Promise<readonly number[]> {
  const steps = checkpointsToRemove(await listCheckpoints(runFolder), keep, best);
  for (const step of steps) {
    const folder = checkpointFolder(runFolder, step);
    await explainingWrites(folder, () => removeFolderAtomic(folder));
  }
  return steps;
}

/** All but the newest `keep`; the last and the best are kept in any case. */
export function checkpointsToRemove(
  steps: readonly number[],
  keep: number,
  best: number | undefined,
): readonly number[] {
  const ordered = steps.toSorted((a, b) => a - b);
  return ordered.slice(0, ordered.length - Math.max(1, keep)).filter((step) => step !== best);
}

const stateName = "state.json";
const manifestName = "manifest.json";

interface FileFacts {
  readonly bytes: number;
  readonly sha256: string;
}

const manifestForm = object<{ readonly files: Readonly<Record<string, FileFacts>> }>(
  { files: mapOf(object<FileFacts>({ bytes: count, sha256: text }, {})) },
  {},
);

/** Size and hash of every file, by its path with forward slashes, in order. */
async function describeFiles(folder: string): Promise<Readonly<Record<string, FileFacts>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .map((name) => name.replaceAll("\\", "/"))
    .toSorted();
  const facts: [string, FileFacts][] = [];
  for (const name of names) {
    const path = join(folder, name);
    facts.push([name, { bytes: (await stat(path)).size, sha256: await hashFile(path) }]);
  }
  return Object.fromEntries(facts);
}

/** What is wrong with a checkpoint, `undefined` where it is whole. */
async function damageOf(folder: string): Promise<string | undefined> {
  const json = await unlessMissing(readFile(join(folder, manifestName), "utf8"));
  if (json === undefined) return "it has no manifest";
  const manifest = manifestForm(parseJson(json), "");
  if (isProblem(manifest)) return `${manifestName} cannot be read`;
  if (!Object.hasOwn(manifest.files, stateName)) return `${manifestName} lacks ${stateName}`;
  for (const [name, { bytes, sha256 }] of Object.entries(manifest.files)) {
    const path = join(folder, name);
    const facts = await unlessMissing(stat(path)).catch(whereNoFolder);
    if (facts === undefined) return `${name} is missing`;
    if (!facts.isFile() || facts.size !== bytes) return `${name} does not have ${bytes} bytes`;
    if ((await hashFile(path)) !== sha256) return `the content of ${name} has changed`;
  }
  return undefined;
}

function whereNoFolder(error: unknown): undefined {
  if (errorCode(error) !== "ENOTDIR") throw error;
}

/** Read into one buffer: a stream's, one for each piece, would be in the run's peak. */
async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  const handle = await open(path);
  try {
    await hashContent(handle, hash);
  } finally {
    await handle.close();
  }
  return hash.digest("hex");
}
