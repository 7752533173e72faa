/**
 * @file The queue on the disk: `.spectune/queue/{waiting,running,ended}/<id>.json`, one file an entry.
 *
 * An entry moves forward by a rename, which only one process can do: whoever moves it from `waiting` has it.
 * Only the process that serves its device writes an entry in `running`.
 */
import { constants } from "node:fs";
import { copyFile, link, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import { makeFolder, syncFolder, temporaryPath, writeFileAtomic } from "../runs/atomic.ts";
import { errorCode, explainingWrites, unlessMissing } from "../runs/file-errors.ts";
import { stampedName } from "../sweeps/stamped-name.ts";
import type { NewEntry, QueueEntry } from "./queue-entry.ts";
import { decodeEntry, encodeEntry, newEntry } from "./queue-entry.ts";

/** In the order in which an entry passes through them. */
const queueStates = ["waiting", "running", "ended"] as const;

export type QueueState = (typeof queueStates)[number];

export interface ListedEntry {
  readonly id: string;
  readonly state: QueueState;
  /** It runs, and has been asked to stop for good. */
  readonly cancelling: boolean;
  /** Absent where the file is damaged. */
  readonly entry: QueueEntry | undefined;
}

export function queueFolder(spectuneFolder: string): string {
  return join(spectuneFolder, "queue");
}

/** Adds an entry behind all that are there; its id. */
export async function addEntry(spectuneFolder: string, entry: NewEntry): Promise<string> {
  const folder = join(queueFolder(spectuneFolder), "waiting");
  return await explainingWrites(folder, async () => {
    await makeFolder(folder);
    for (let again = 1; ; again += 1) {
      const id = stampedName(entry.name, entry.added, again);
      if (await createFile(join(folder, `${id}.json`), encodeEntry(newEntry(entry)))) return id;
    }
  });
}

/** All entries in the order in which they were added. */
export async function listEntries(spectuneFolder: string): Promise<readonly ListedEntry[]> {
  const found = new Map<string, ListedEntry>();
  // In the direction in which entries move, so that none can slip past.
  for (const state of queueStates)
    for (const id of await idsIn(spectuneFolder, state)) {
      const written = await unlessMissing(readFile(entryFile(spectuneFolder, state, id), "utf8"));
      if (written === undefined) continue;
      const cancelling = state === "running" && (await isCancelled(spectuneFolder, id));
      found.set(id, { id, state, cancelling, entry: decodeEntry(written) });
    }
  return [...found.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** Moves an entry on; false where another process was first. */
export async function moveEntry(
  spectuneFolder: string,
  id: string,
  from: QueueState,
  to: QueueState,
): Promise<boolean> {
  const path = entryFile(spectuneFolder, to, id);
  return await explainingWrites(path, async () => {
    await makeFolder(dirname(path));
    try {
      await rename(entryFile(spectuneFolder, from, id), path);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return false;
      throw error;
    }
    await syncFolder(dirname(path));
    return true;
  });
}

/** Writes an entry anew in its place; only for the process that has it. */
export async function saveEntry(
  spectuneFolder: string,
  id: string,
  state: QueueState,
  entry: QueueEntry,
): Promise<void> {
  await writeFileAtomic(entryFile(spectuneFolder, state, id), encodeEntry(entry));
}

/** An entry that has run to its end leaves `running` with its outcome. */
export async function endEntry(
  spectuneFolder: string,
  id: string,
  entry: QueueEntry,
): Promise<void> {
  await saveEntry(spectuneFolder, id, "running", entry);
  await moveEntry(spectuneFolder, id, "running", "ended");
  await rm(cancelFile(spectuneFolder, id), { force: true });
}

/**
 * Takes a waiting entry out, or asks for a running one to be stopped and not to be gone on with. A
 * {@link UserError} where there is no such entry, or it has ended.
 */
export async function cancelEntry(
  spectuneFolder: string,
  reference: string,
): Promise<{ readonly id: string; readonly was: QueueState }> {
  const { id } = await findEntry(spectuneFolder, reference);
  if (await moveEntry(spectuneFolder, id, "waiting", "ended")) {
    const written = await readFile(entryFile(spectuneFolder, "ended", id), "utf8");
    const entry = decodeEntry(written);
    if (entry !== undefined)
      await saveEntry(spectuneFolder, id, "ended", { ...entry, outcome: "cancelled" });
    return { id, was: "waiting" };
  }
  const file = cancelFile(spectuneFolder, id);
  await makeFolder(dirname(file));
  await writeFileAtomic(file, "");
  if ((await idsIn(spectuneFolder, "running")).includes(id)) return { id, was: "running" };
  // It ended in this moment.
  await rm(file, { force: true });
  throw new UserError({ code: "entry-ended", message: `${id} has ended already.` });
}

/** Whether a running entry is to be stopped for good. */
export async function isCancelled(spectuneFolder: string, id: string): Promise<boolean> {
  return (await unlessMissing(stat(cancelFile(spectuneFolder, id)))) !== undefined;
}

async function findEntry(spectuneFolder: string, reference: string): Promise<ListedEntry> {
  const all = await listEntries(spectuneFolder);
  const open = all.filter(({ state }) => state !== "ended");
  const named = all.filter(({ id }) => id === reference);
  const matching = named.length > 0 ? named : open.filter(({ id }) => id.includes(reference));
  const [only, ...others] = matching;
  if (only !== undefined && others.length === 0) return only;
  const some = (only === undefined ? open : matching).slice(0, 5).map(({ id }) => id);
  throw new UserError({
    code: only === undefined ? "unknown-entry" : "ambiguous-entry",
    message:
      only === undefined
        ? `No entry of the queue that waits or runs is called "${reference}".`
        : `"${reference}" is the name of ${matching.length} entries.`,
    ...(some.length === 0 ? {} : { remedy: `Give one of: ${some.join(", ")}.` }),
  });
}

async function idsIn(spectuneFolder: string, state: QueueState): Promise<readonly string[]> {
  const names = (await unlessMissing(readdir(join(queueFolder(spectuneFolder), state)))) ?? [];
  return names.flatMap((name) => /^(\d.*)\.json$/.exec(name)?.[1] ?? []);
}

function entryFile(spectuneFolder: string, state: QueueState, id: string): string {
  return join(queueFolder(spectuneFolder), state, `${id}.json`);
}

function cancelFile(spectuneFolder: string, id: string): string {
  return join(queueFolder(spectuneFolder), "cancel", id);
}

/** Makes a file whole under a name that must be free; whether it was. */
async function createFile(path: string, data: string): Promise<boolean> {
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, data, { flag: "wx", flush: true });
    await link(temporary, path);
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (code === "EEXIST") return false;
    if (!withoutLinks.includes(code)) throw error;
    return await copied(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
  return true;
}

/** What file systems without hard links answer. */
const withoutLinks = ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EXDEV"];

async function copied(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}
