/** @file The record by which an attempt shows that it lives: one file of fixed size for each attempt. */
import { open, readdir, readFile, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { invariant } from "../../shared/errors.ts";
import type { Outcome } from "../../shared/protocol.ts";
import { count, isProblem, object, oneOf, parseJson, real, text } from "../../shared/wire.ts";
import { crc32c } from "./crc32c.ts";
import { unlessMissing } from "./file-errors.ts";
import { identityFields, type ProcessIdentity } from "./process-identity.ts";

/** Who runs an attempt and when it was last heard of. */
export interface AliveRecord extends ProcessIdentity {
  readonly attempt: number;
  /** Random; tells two contenders of one attempt apart. */
  readonly token: string;
  readonly state: "running" | "stopping" | Outcome;
  /** Counts the heartbeats: it moves while the process lives, whatever the clocks say. */
  readonly beat: number;
  /** Milliseconds since 1970 by the writer's clock. */
  readonly heartbeat: number;
}

/** The newest attempt as it was found on the disk. */
export interface FoundAttempt {
  readonly attempt: number;
  /** Absent where the file is damaged or still being made. */
  readonly record: AliveRecord | undefined;
  /** When the file was last written, by the file system's clock. */
  readonly modified: number;
}

/**
 * The file of an attempt. Attempts count from 1 and their files are never removed, so the highest
 * number is the owner, and making the next file is how a run is taken over.
 */
export function attemptFile(runFolder: string, attempt: number): string {
  return join(attemptsFolder(runFolder), `${attempt}.json`);
}

export function attemptsFolder(runFolder: string): string {
  return join(runFolder, "attempts");
}

/**
 * A heartbeat overwrites the record in its place with one write of this many bytes. Against a
 * rename it needs no new block (a full disk does not silence a run), works while a reader has the
 * file open on Windows, and is not hidden by a network file system's cache of names. The check sum
 * shows a read that fell into the middle of the write.
 */
const recordBytes = 1024;

/** The record as a line of JSON, padded to its fixed size. */
export function encodeAlive(record: AliveRecord): Uint8Array {
  const { attempt, token, state, beat, heartbeat, host, boot, namespace, pid, start } = record;
  const body = { attempt, token, state, beat, heartbeat, host, boot, namespace, pid, start };
  const sum = crc32c(new TextEncoder().encode(JSON.stringify(body)));
  const line = new TextEncoder().encode(JSON.stringify({ ...body, sum }));
  invariant(line.length < recordBytes, `an alive record of ${line.length} bytes`);
  const padded = new Uint8Array(recordBytes).fill(0x20);
  padded.set(line);
  padded[recordBytes - 1] = 0x0a;
  return padded;
}

/** The record, `undefined` where its bytes are not those of one write. */
export function decodeAlive(bytes: Uint8Array): AliveRecord | undefined {
  const record = alive(parseJson(new TextDecoder().decode(bytes)), "");
  if (isProblem(record)) return undefined;
  return Buffer.compare(encodeAlive(record), bytes) === 0 ? record : undefined;
}

const alive = object<AliveRecord>(
  {
    attempt: count,
    token: text,
    state: oneOf("running", "stopping", "finished", "stopped", "failed"),
    beat: count,
    heartbeat: real,
    ...identityFields,
  },
  {},
);

/** The highest attempt of a run, `undefined` where none was begun. */
export async function newestAttempt(runFolder: string): Promise<FoundAttempt | undefined> {
  const names = (await unlessMissing(readdir(attemptsFolder(runFolder)))) ?? [];
  const numbers = names.flatMap((name) => /^([1-9]\d{0,8})\.json$/.exec(name)?.[1] ?? []);
  const attempt = Math.max(0, ...numbers.map(Number));
  if (attempt === 0) return undefined;
  const path = attemptFile(runFolder, attempt);
  for (let again = 3; ; again -= 1) {
    const record = decodeAlive(await readFile(path));
    if (record !== undefined || again === 0)
      return { attempt, record, modified: (await stat(path)).mtimeMs };
    // The read fell into a heartbeat.
    await sleep(10);
  }
}

/** Overwrites the record in its place. */
export async function overwriteAlive(handle: FileHandle, record: AliveRecord): Promise<void> {
  await handle.write(encodeAlive(record), 0, recordBytes, 0);
}

/** Opens the record of one's own attempt for {@link overwriteAlive}. */
export async function openAlive(runFolder: string, attempt: number): Promise<FileHandle> {
  return await open(attemptFile(runFolder, attempt), "r+");
}
