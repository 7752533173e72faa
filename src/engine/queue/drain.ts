/** @file Works the queue off: one entry after the other, one process for each device. */
import { basename, join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { Clock, Ownership } from "../runs/ownership.ts";
import { acquireRun, startHeartbeat } from "../runs/ownership.ts";
import { failureOf } from "../sweeps/run-sweep.ts";
import type { QueueEntry } from "./queue-entry.ts";
import type { ListedEntry } from "./queue-folder.ts";
import {
  endEntry,
  isCancelled,
  listEntries,
  moveEntry,
  queueFolder,
  saveEntry,
} from "./queue-folder.ts";

/** What an entry came to; `stopped` with an aborted signal leaves it in the queue, to be gone on with. */
export type EntryOutcome = "finished" | "stopped" | "failed";

/** Where an entry has begun: noted in it at once, so that it can be gone on with after a kill. */
export interface EntryPlace {
  readonly sweep?: string;
  readonly run?: string;
}

/** Runs one entry, new or begun; throws where it fails. */
export type Execute = (
  entry: QueueEntry,
  begun: (place: EntryPlace) => Promise<void>,
  signal: AbortSignal,
) => Promise<EntryOutcome>;

export interface DrainOptions {
  readonly spectuneFolder: string;
  /** Serve this device alone; `undefined`: every device that no other process serves. */
  readonly device: string | undefined;
  readonly execute: Execute;
  readonly clock: Clock;
  /** Aborting stops the current entry, which stays in the queue. */
  readonly signal: AbortSignal;
  readonly onEntry: (
    id: string,
    entry: QueueEntry,
    change: "begins" | "goes on" | "finished" | "stopped" | "failed" | "cancelled",
  ) => void;
}

export interface DrainResult {
  readonly finished: number;
  readonly failed: number;
  readonly cancelled: number;
  /** On request, through its run's own folder; or the one that stays in the queue. */
  readonly stopped: number;
  /** Devices that another process serves, and for which entries wait. */
  readonly busy: readonly string[];
}

/** How often a running entry is asked after. */
const pollMs = 500;

/**
 * Runs what waits until nothing is left, first what a process that died has left in the middle. A failure of
 * an entry ends the entry, not the queue.
 */
export async function drainQueue(options: DrainOptions): Promise<DrainResult> {
  const { spectuneFolder, signal } = options;
  const devices = createDevices(options);
  const counts = { finished: 0, failed: 0, cancelled: 0, stopped: 0 };
  try {
    while (!signal.aborted && !devices.lost.aborted) {
      const next = await takeNext(options, devices);
      if (next === undefined) break;
      const { id, entry, begun } = next;
      options.onEntry(id, entry, begun ? "goes on" : "begins");
      const outcome = await runEntry(options, id, entry, devices.lost);
      counts[outcome] += 1;
    }
    return { ...counts, busy: await waitingFor(spectuneFolder, devices.busy()) };
  } finally {
    await devices.release();
  }
}

interface Taken {
  readonly id: string;
  readonly entry: QueueEntry;
  /** Whether another process has begun it. */
  readonly begun: boolean;
}

async function takeNext(
  { spectuneFolder, device }: DrainOptions,
  devices: Devices,
): Promise<Taken | undefined> {
  const order: readonly ListedEntry["state"][] = ["running", "waiting"];
  const all = await listEntries(spectuneFolder);
  for (const state of order)
    for (const { id, entry, state: is } of all) {
      if (is !== state || entry === undefined) continue;
      if (device !== undefined && entry.device !== device) continue;
      if (!(await devices.serve(entry.device))) continue;
      if (state === "running") return { id, entry, begun: true };
      if (await moveEntry(spectuneFolder, id, "waiting", "running"))
        return { id, entry, begun: false };
    }
  return undefined;
}

async function runEntry(
  options: DrainOptions,
  id: string,
  first: QueueEntry,
  lost: AbortSignal,
): Promise<EntryOutcome | "cancelled"> {
  const { spectuneFolder, execute, onEntry } = options;
  let entry = first;
  const cancel = new AbortController();
  const isToEnd = () => cancel.signal.aborted;
  const look = async () => {
    if (await isCancelled(spectuneFolder, id)) cancel.abort();
  };
  // A file system that does not answer for once answers the next time.
  const poll = setInterval(() => void look().catch(() => undefined), pollMs);
  const end = async (outcome: EntryOutcome | "cancelled", error?: unknown) => {
    entry = { ...entry, outcome, ...(error === undefined ? {} : { error: failureOf(error) }) };
    await endEntry(spectuneFolder, id, entry);
    onEntry(id, entry, outcome);
    return outcome;
  };
  try {
    await look();
    if (isToEnd()) return await end("cancelled");
    const begun = async (place: EntryPlace) => {
      entry = { ...entry, ...place };
      await saveEntry(spectuneFolder, id, "running", entry);
    };
    const signal = AbortSignal.any([options.signal, cancel.signal, lost]);
    let outcome: EntryOutcome;
    try {
      outcome = await execute(entry, begun, signal);
    } catch (error) {
      // Whoever has taken the device over has the entry, too.
      if (lost.aborted) return "stopped";
      return await end("failed", error);
    }
    if (outcome !== "stopped") return await end(outcome);
    if (isToEnd()) return await end("cancelled");
    // Stopped through the run's own folder: this entry is meant, and the queue goes on behind it.
    if (!signal.aborted) return await end("stopped");
    onEntry(id, entry, "stopped");
    return "stopped";
  } finally {
    clearInterval(poll);
  }
}

interface Devices {
  /** Whether this process serves the device; takes it where nobody does. */
  readonly serve: (device: string) => Promise<boolean>;
  readonly busy: () => ReadonlySet<string>;
  /** Aborted where a device was taken over by another process while this one was silent. */
  readonly lost: AbortSignal;
  readonly release: () => Promise<void>;
}

/** The right to serve a device is held like a run: by a file with a heartbeat, under `queue/devices/`. */
function createDevices({ spectuneFolder, clock }: DrainOptions): Devices {
  const held = new Map<string, { readonly ownership: Ownership; readonly stop: () => void }>();
  const busy = new Set<string>();
  const lost = new AbortController();
  return {
    async serve(device) {
      if (held.has(device)) return true;
      if (busy.has(device)) return false;
      try {
        const ownership = await acquireRun(
          join(queueFolder(spectuneFolder), "devices", basename(device)),
          clock,
        );
        held.set(device, { ownership, stop: startHeartbeat(ownership, () => lost.abort()) });
        return true;
      } catch (error) {
        if (!(error instanceof UserError) || error.code !== "run-in-use") throw error;
        busy.add(device);
        return false;
      }
    },
    busy: () => busy,
    lost: lost.signal,
    async release() {
      for (const { ownership, stop } of held.values()) {
        stop();
        await ownership.release("finished").catch(() => undefined);
      }
    },
  };
}

async function waitingFor(
  spectuneFolder: string,
  busy: ReadonlySet<string>,
): Promise<readonly string[]> {
  const entries = await listEntries(spectuneFolder);
  const waiting = entries.flatMap(({ state, entry }) =>
    state === "waiting" && entry ? [entry.device] : [],
  );
  return [...new Set(waiting)].filter((device) => busy.has(device));
}
