/** @file Whether a run lives: by its process where that can be seen from here, else by its heartbeat. */
import type { RunState } from "../../shared/run-state.ts";
import { newestAttempt, type AliveRecord, type FoundAttempt } from "./alive-record.ts";
import { readLastEvent } from "./events-log.ts";
import { lookAtProcess, type LifeSign } from "./process-identity.ts";

/** How often a run shows itself, and how long its silence is borne. */
export interface Timing {
  readonly beatEveryMs: number;
  /** A heartbeat of another host that is older than this may be a dead one's. */
  readonly staleAfterMs: number;
  /** Before a silent run is taken over, its heartbeat must stand still for this long. */
  readonly watchMs: number;
}

/** Network file systems show a change on another host up to a minute late. */
export const timing: Timing = { beatEveryMs: 500, staleAfterMs: 90_000, watchMs: 5_000 };

export interface RunStatus {
  readonly state: RunState;
  readonly attempt?: number;
  readonly owner?: AliveRecord;
}

/** The state of the run in `runFolder` at the time `now`. */
export async function runStatus(
  runFolder: string,
  now: number,
  staleAfterMs = timing.staleAfterMs,
): Promise<RunStatus> {
  const found = await newestAttempt(runFolder);
  if (found === undefined) return { state: "created" };
  const { attempt, record } = found;
  const status = record === undefined ? { attempt } : { attempt, owner: record };
  const liveness = judge(found, lifeSign(found), now, staleAfterMs);
  if (liveness === "ended" || liveness === "alive")
    return { state: record?.state ?? "running", ...status };
  // A process can be killed between its last event and the release of the run.
  const last = await readLastEvent(runFolder);
  if (last?.type === "ended" && last.attempt === attempt)
    return { state: last.summary.status, ...status };
  return { state: liveness === "dead" ? "crashed" : "stale-unknown", ...status };
}

/** `silent`: not heard of for long, or its clock is far from ours; only watching can tell. */
export type Liveness = "ended" | "alive" | "dead" | "silent";

/**
 * Judges one look at an attempt. A process that can be seen decides; a heartbeat's age is only
 * asked where it cannot, since a suspended process is not a dead one.
 */
export function judge(
  { record, modified }: FoundAttempt,
  sign: LifeSign,
  now: number,
  staleAfterMs: number,
): Liveness {
  if (record !== undefined && hasEnded(record)) return "ended";
  if (sign !== "unknown") return sign;
  const age = now - (record?.heartbeat ?? modified);
  return Math.abs(age) <= staleAfterMs ? "alive" : "silent";
}

/** What this host can see of the attempt's process. */
export function lifeSign({ record }: FoundAttempt): LifeSign {
  return record === undefined ? "unknown" : lookAtProcess(record);
}

/** Whether the attempt gave the run back. */
export function hasEnded({ state }: AliveRecord): boolean {
  return state !== "running" && state !== "stopping";
}
