/** @file What state a run is in, as its folder and its process tell it. */
import type { Outcome } from "./protocol.ts";

/** `stale-unknown`: silent on a host that cannot be looked at from here. */
export type RunState = "created" | "running" | "stopping" | Outcome | "crashed" | "stale-unknown";

/** Whether a process works on it now, as far as can be seen. */
export function isLive(state: RunState): boolean {
  return state === "running" || state === "stopping";
}

/** Whether `--resume` can go on with it. */
export function canResume(state: RunState): boolean {
  return state === "stopped" || state === "failed" || state === "crashed" || state === "created";
}
