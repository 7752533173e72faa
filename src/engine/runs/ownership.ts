/** @file One run, one writer: taking a run, showing signs of life, noticing that it was lost, giving it back. */
import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { link, readFile, rm, writeFile, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../shared/errors.ts";
import type { Outcome } from "../../shared/protocol.ts";
import {
  attemptFile,
  attemptsFolder,
  decodeAlive,
  encodeAlive,
  newestAttempt,
  openAlive,
  overwriteAlive,
  type AliveRecord,
  type FoundAttempt,
} from "./alive-record.ts";
import { makeFolder, removeLeftovers, syncFolder, temporaryPath } from "./atomic.ts";
import { errorCode, explainingWrites, runFolderGone, unlessMissing } from "./file-errors.ts";
import { hasEnded, judge, lifeSign, timing, type Timing } from "./liveness.ts";
import { thisProcess } from "./process-identity.ts";

/** Time as an argument. */
export interface Clock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

export const systemClock: Clock = { now: () => Date.now(), sleep: (ms) => sleep(ms) };

/** The right to write a run, held until it is released, or taken over after the owner's silence. */
export interface Ownership {
  readonly attempt: number;
  /** Throws a {@link UserError} where another process has taken the run over, or its folder is gone: write nothing then. */
  readonly check: () => void;
  /** Writes a heartbeat. */
  readonly beat: () => Promise<void>;
  /** Shows that the run is about to stop. */
  readonly stopping: () => Promise<void>;
  /** Gives the run back, for good. */
  readonly release: (outcome: Outcome) => Promise<void>;
}

/**
 * Takes the run in `runFolder` and begins its next attempt. A {@link UserError} `run-in-use` where
 * another process has it: of several that try at once, exactly one gets it. A run whose process
 * is dead, or that has been silent and stood still while watched, is taken over.
 */
export async function acquireRun(
  runFolder: string,
  clock: Clock = systemClock,
  limits: Timing = timing,
): Promise<Ownership> {
  return await explainingWrites(runFolder, async () => {
    const folder = attemptsFolder(runFolder);
    await makeFolder(folder);
    await removeLeftovers(folder, "dead", clock.now());
    for (;;) {
      const found = await newestAttempt(runFolder);
      if (found !== undefined) await ensureFree(runFolder, found, clock, limits);
      const record: AliveRecord = {
        ...thisProcess(),
        attempt: (found?.attempt ?? 0) + 1,
        token: randomBytes(8).toString("hex"),
        state: "running",
        beat: 0,
        heartbeat: clock.now(),
      };
      // Whoever comes second looks again, and finds the first alive.
      if (!(await claim(runFolder, record))) continue;
      await syncFolder(folder);
      return owned(runFolder, record, await openAlive(runFolder, record.attempt), clock);
    }
  });
}

/**
 * Throws `run-in-use` where another process has the run, which {@link acquireRun} would throw as well: for a
 * look before much is read.
 */
export async function refuseIfInUse(
  runFolder: string,
  clock: Clock = systemClock,
  limits: Timing = timing,
): Promise<void> {
  const found = await newestAttempt(runFolder);
  if (found !== undefined)
    await explainingWrites(runFolder, () => ensureFree(runFolder, found, clock, limits));
}

const lostCodes: ReadonlySet<string> = new Set(["run-taken-over", "run-folder-gone"]);

/** Beats until stopped. `onLost` hears once that the run was taken over, or is gone; a failed write waits for the next. */
export function startHeartbeat(
  ownership: Ownership,
  onLost: (error: unknown) => void,
  everyMs = timing.beatEveryMs,
): () => void {
  let underWay = false;
  const stop = () => clearInterval(timer);
  const beat = async () => {
    if (underWay) return;
    underWay = true;
    try {
      await ownership.beat();
    } catch (error) {
      if (!(error instanceof UserError) || !lostCodes.has(error.code)) return;
      stop();
      onLost(error);
    } finally {
      underWay = false;
    }
  };
  const timer = setInterval(() => void beat(), everyMs);
  timer.unref();
  return stop;
}

function owned(runFolder: string, first: AliveRecord, handle: FileHandle, clock: Clock): Ownership {
  const successor = attemptFile(runFolder, first.attempt + 1);
  let record = first;
  let writing: Promise<void> = Promise.resolve();

  const own = attemptFile(runFolder, first.attempt);
  const check = () => {
    if (existsSync(successor))
      throw new UserError({
        code: "run-taken-over",
        message: "Another process has taken this run over while this one was silent.",
        place: { file: runFolder },
        remedy: "Nothing more is written from here; follow the run where it goes on.",
      });
    if (isGone(own)) throw runFolderGone(runFolder);
  };

  /** One write after the other, and none once the run has been given back. */
  const write = async (change: Partial<AliveRecord>) => {
    const before = writing;
    const mine = (async () => {
      await before.catch(() => undefined);
      if (hasEnded(record)) return;
      check();
      const next = { ...record, ...change, beat: record.beat + 1, heartbeat: clock.now() };
      await overwriteAlive(handle, next);
      record = next;
      if (!hasEnded(record)) return;
      await handle.sync();
      await handle.close();
    })();
    writing = mine;
    await mine;
  };

  return {
    attempt: first.attempt,
    check,
    beat: () => write({}),
    stopping: () => write({ state: "stopping" }),
    release: (outcome) => write({ state: outcome }),
  };
}

/** Whether nothing is there; a file system that does not answer for once is no reason to end a run. */
function isGone(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** Throws `run-in-use` unless the newest attempt has ended, is dead, or stands still. */
async function ensureFree(
  runFolder: string,
  found: FoundAttempt,
  clock: Clock,
  limits: Timing,
): Promise<void> {
  const liveness = judge(found, lifeSign(found), clock.now(), limits.staleAfterMs);
  if (liveness === "ended" || liveness === "dead") return;
  if (liveness === "alive") throw inUse(runFolder, found, limits);
  // Making a file here lets a network file system look afresh at what others have in the folder.
  const probe = temporaryPath(attemptFile(runFolder, found.attempt));
  await writeFile(probe, "", { flag: "wx" });
  await rm(probe);
  const age = clock.now() - (found.record?.heartbeat ?? found.modified);
  // A heartbeat from the future says nothing about its age, so it is watched for the whole time.
  await clock.sleep(age < 0 ? limits.staleAfterMs : limits.watchMs);
  const later = await newestAttempt(runFolder);
  const still =
    later?.attempt === found.attempt &&
    later.modified === found.modified &&
    later.record?.beat === found.record?.beat;
  if (!still) throw inUse(runFolder, later ?? found, limits);
}

/** Makes the attempt's file, whole, unless it is there; whether it is ours. */
async function claim(runFolder: string, record: AliveRecord): Promise<boolean> {
  const path = attemptFile(runFolder, record.attempt);
  const temporary = temporaryPath(path);
  try {
    await writeFile(temporary, encodeAlive(record), { flag: "wx", flush: true });
    await link(temporary, path);
  } catch (error) {
    const code = errorCode(error);
    if (code !== undefined && withoutLinks.includes(code))
      return await claimByOpening(path, record);
    if (code !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  // A network file system may report a success as EEXIST when the first answer was lost.
  const there = await unlessMissing(readFile(path));
  return there !== undefined && decodeAlive(there)?.token === record.token;
}

/** What file systems without hard links answer. */
const withoutLinks = ["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK", "EXDEV"];

/** The file is empty for a moment; who reads it then goes by its time of writing. */
async function claimByOpening(path: string, record: AliveRecord): Promise<boolean> {
  try {
    await writeFile(path, encodeAlive(record), { flag: "wx", flush: true });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

function inUse(runFolder: string, { record }: FoundAttempt, limits: Timing): UserError {
  const seen = record !== undefined && lifeSign({ attempt: 0, record, modified: 0 }) === "alive";
  const who = record === undefined ? "another process" : `process ${record.pid} on ${record.host}`;
  const patience = Math.ceil(limits.staleAfterMs / 1000);
  return new UserError({
    code: "run-in-use",
    message: `The run ${runFolder} is in use by ${who}.`,
    place: { file: runFolder },
    remedy: seen
      ? "Stop it, or wait until it has ended."
      : `Stop it, or wait until it has ended; if that machine is down, try again ${patience} seconds after its end.`,
  });
}
