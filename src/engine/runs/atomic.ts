/** @file Files and folders that are there whole or not at all, whatever ends the process or the machine. */
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, rmSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, rmdir, stat, statfs, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../shared/errors.ts";
import {
  errorCode,
  explainingWrites,
  howToGoOn,
  noFolderHere,
  unlessMissing,
} from "./file-errors.ts";
import { lookAtProcess, thisProcess, type ProcessIdentity } from "./process-identity.ts";

/**
 * Writes `data` to `path`: a temporary name in the same folder, fsync, rename, fsync of the folder.
 * A {@link UserError} where the disk is full or the folder can't be written; nothing is left then.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await explainingWrites(path, async () => {
    const temporary = temporaryPath(path);
    try {
      await writeFile(temporary, data, { flag: "wx", flush: true });
      await renameOver(temporary, path);
    } catch (error) {
      await removeQuietly(temporary);
      throw error;
    }
    await syncFolder(dirname(path));
  });
}

/**
 * Makes the folder `path` whole: `build` fills a temporary one beside it, every file is fsynced,
 * then it takes the name. A folder that stood there is replaced. `beforeRename` is the last chance
 * to refuse, by a throw. Errors as {@link writeFileAtomic}; nothing is left of a failed one.
 */
export async function writeFolderAtomic(
  path: string,
  build: (temporary: string) => Promise<void>,
  beforeRename: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await explainingWrites(path, async () => {
    await makeFolder(dirname(path));
    const temporary = temporaryPath(path);
    try {
      await mkdir(temporary);
      await build(temporary);
      await syncTree(temporary);
      await beforeRename();
      await replaceFolder(temporary, path);
    } catch (error) {
      await removeQuietly(temporary);
      throw error;
    }
    await syncFolder(dirname(path));
  });
}

/**
 * Makes a folder and those above it, unless they are there. Node's own `recursive` says that the
 * folder is missing where the file system is read-only.
 */
export async function makeFolder(path: string): Promise<void> {
  await explainingWrites(path, async () => {
    try {
      await mkdir(path);
    } catch (error) {
      if (errorCode(error) === "ENOENT" && dirname(path) !== path) {
        await makeFolder(dirname(path));
        await madeIn(path);
      } else if (!(await isFolder(path))) throw error;
    }
  });
}

/** Of a folder whose parent is there: what is missing then is the right to make any, as in `/proc`. */
async function madeIn(path: string, asked = path): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") throw noFolderHere(asked);
    if (!(await isFolder(path))) throw error;
  }
}

/**
 * A {@link UserError} where nothing can be made at `path` or above it; nothing stays. What takes long asks before it
 * begins.
 */
export async function requireWritable(path: string): Promise<void> {
  await explainingWrites(path, async () => {
    let above = path;
    do above = dirname(above);
    while (!(await unlessMissing(stat(above))) && dirname(above) !== above);
    // A name that is too long is told here.
    await unlessMissing(stat(path));
    const probe = temporaryPath(join(above, "x"));
    await madeIn(probe, path);
    await rmdir(probe);
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await unlessMissing(stat(path)))?.isDirectory() ?? false;
}

/** Removes a folder so that nobody finds half of it: first it loses its name. */
export async function removeFolderAtomic(path: string): Promise<void> {
  const temporary = temporaryPath(path);
  await rename(path, temporary);
  await rm(temporary, { recursive: true, force: true });
}

/** A temporary thing of another host or boot that has been still for this long has lost its writer. */
const abandonedAfterMs = 24 * 3600 * 1000;

/**
 * Removes what writers left in `folder` when they died. `whose`: `dead` spares writers that may
 * still live; `any` is for a folder that only the caller may write. Returns the names removed.
 */
export async function removeLeftovers(
  folder: string,
  whose: "dead" | "any",
  now: number,
): Promise<readonly string[]> {
  const removed: string[] = [];
  for (const name of (await unlessMissing(readdir(folder))) ?? []) {
    const path = join(folder, name);
    if (!name.startsWith(prefix)) continue;
    if (whose === "dead" && !(await isAbandoned(path, now))) continue;
    await explainingWrites(path, () => rm(path, { recursive: true, force: true }));
    removed.push(name);
  }
  return removed;
}

/** Removes what this process is still writing in `folder`, at once: for one that is about to end. */
export function removeOwnUnfinished(folder: string): void {
  const { pid, start } = thisProcess();
  const own = `${prefix}${machineTag(thisProcess())}-${pid}-${start}-`;
  try {
    for (const name of readdirSync(folder))
      if (name.startsWith(own)) rmSync(join(folder, name), { recursive: true, force: true });
  } catch {
    // A leftover is found by `removeLeftovers`.
  }
}

/** Whether a name in a folder is that of a thing still being written. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith(prefix);
}

/** Left free beside what is asked for, so that events and heartbeats still find room. */
const reserveBytes = 16 * 1024 * 1024;

/** A {@link UserError} unless the disk of `folder` has room for `bytes` more. */
export async function ensureFreeSpace(
  folder: string,
  bytes: number,
  reserve = reserveBytes,
): Promise<void> {
  const free = await freeBytes(folder);
  if (free === undefined || free >= bytes + reserve) return;
  throw new UserError({
    code: "no-space-left",
    message: `Cannot write ${folder}: it needs ${megabytes(bytes)} and ${megabytes(reserve)} to spare, and the disk has ${megabytes(free)} left.`,
    place: { file: folder },
    remedy: `Free some space${howToGoOn(folder)}`,
  });
}

/** Bytes that this user may still write; `undefined` where the file system does not say. */
async function freeBytes(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    if (errorCode(error) === "ENOSYS" || errorCode(error) === "ENOTSUP") return undefined;
    throw error;
  }
}

const prefix = ".tmp-";

/** A new name beside `path` that tells who writes it, so that its leftovers can be told too. */
export function temporaryPath(path: string): string {
  const { pid, start } = thisProcess();
  const random = randomBytes(6).toString("hex");
  return join(dirname(path), `${prefix}${machineTag(thisProcess())}-${pid}-${start}-${random}`);
}

function machineTag({ host, boot, namespace }: ProcessIdentity): string {
  return createHash("sha256").update(`${host}\n${boot}\n${namespace}`).digest("hex").slice(0, 12);
}

async function isAbandoned(path: string, now: number): Promise<boolean> {
  const here = thisProcess();
  const [, tag, pid, start] = /^\.tmp-(\w+)-(\d+)-(\d*)-/.exec(basename(path)) ?? [];
  if (tag === machineTag(here) && pid !== undefined && start !== undefined) {
    const sign = lookAtProcess({ ...here, pid: Number(pid), start });
    if (sign !== "unknown") return sign === "dead";
  }
  const facts = await unlessMissing(stat(path));
  return facts !== undefined && now - facts.mtimeMs > abandonedAfterMs;
}

/** Renames a folder to a name that may be taken; a rename never replaces a folder with content. */
async function replaceFolder(temporary: string, path: string): Promise<void> {
  try {
    await renameOver(temporary, path);
  } catch (error) {
    const taken = process.platform === "win32" ? ["EPERM", "EEXIST"] : ["ENOTEMPTY", "EEXIST"];
    if (!taken.includes(errorCode(error) ?? "")) throw error;
    await removeFolderAtomic(path);
    await renameOver(temporary, path);
  }
}

/** Windows refuses a rename while a virus scanner or a reader has the file open, for a moment. */
async function renameOver(from: string, to: string): Promise<void> {
  const tries = process.platform === "win32" ? 20 : 1;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await rename(from, to);
      return;
    } catch (error) {
      const passing = ["EPERM", "EACCES", "EBUSY"].includes(errorCode(error) ?? "");
      if (!passing || attempt === tries) throw error;
      await sleep(50);
    }
  }
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else await syncFile(path);
  }
  await syncFolder(folder);
}

async function syncFile(path: string): Promise<void> {
  // Windows flushes only what is open for writing.
  const handle = await open(path, process.platform === "win32" ? "r+" : "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames in `folder` last. Windows and some network file systems cannot, and need not. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    if (errorCode(error) !== "EINVAL" && errorCode(error) !== "ENOTSUP") throw error;
  } finally {
    await handle.close();
  }
}

/** Clears up after a failure; the failure itself is what the caller hears of. */
async function removeQuietly(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    // A leftover is found by `removeLeftovers`.
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
