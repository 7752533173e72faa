/** @file Which process this is, across hosts, boots and containers, and whether another one still lives. */
import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { count, text } from "../../shared/wire.ts";
import { errorCode } from "./file-errors.ts";

/** A process, so that a later one with the same number is not taken for it. */
export interface ProcessIdentity {
  readonly host: string;
  /** The kernel's identifier of this boot; elsewhere `since:` and the second of the boot. */
  readonly boot: string;
  /** Containers of one host have process numbers of their own; empty where there is no such thing. */
  readonly namespace: string;
  readonly pid: number;
  /** Start time in the kernel's ticks since the boot; empty where it cannot be had. */
  readonly start: string;
}

/** What reads each of its fields from JSON. */
export const identityFields = {
  ...{ host: text, boot: text, namespace: text },
  ...{ pid: count, start: text },
} as const;

/** `unknown`: from here it cannot be told. */
export type LifeSign = "alive" | "dead" | "unknown";

let own: ProcessIdentity | undefined;

/** The identity of this process. */
export function thisProcess(): ProcessIdentity {
  own ??= {
    host: hostname(),
    boot: bootId(),
    namespace: read(() => readlinkSync("/proc/self/ns/pid")) ?? "",
    pid: process.pid,
    start: procStat(process.pid)?.start ?? "",
  };
  return own;
}

/** Looks at a process by its number, which means something only on its own host and boot. */
export function lookAtProcess(
  there: ProcessIdentity,
  here: ProcessIdentity = thisProcess(),
): LifeSign {
  if (!sameMachine(there, here)) return "unknown";
  if (!numberInUse(there.pid)) return "dead";
  const stat = procStat(there.pid);
  if (stat === undefined || there.start === "") return "unknown";
  // A killed process that nobody has waited for keeps its number and does nothing any more.
  const gone = stat.state === "Z" || stat.state === "X";
  return gone || stat.start !== there.start ? "dead" : "alive";
}

/** Whether process numbers of `there` and `here` mean the same. */
function sameMachine(there: ProcessIdentity, here: ProcessIdentity): boolean {
  return (
    there.host === here.host &&
    there.namespace === here.namespace &&
    sameBoot(there.boot, here.boot)
  );
}

/** Seconds by which two readings of one boot time may differ, as the clock is set now and then. */
const bootTolerance = 120;

function sameBoot(there: string, here: string): boolean {
  if (there === here) return true;
  const [a, b] = [there, here].map((boot) => /^since:(\d+)$/.exec(boot)?.[1]);
  return a !== undefined && b !== undefined && Math.abs(Number(a) - Number(b)) <= bootTolerance;
}

function bootId(): string {
  const id =
    process.platform === "darwin"
      ? read(() => execFileSync("sysctl", ["-n", "kern.bootsessionuuid"], { encoding: "utf8" }))
      : read(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"));
  const trimmed = id?.trim() ?? "";
  return trimmed === "" ? `since:${Math.round(Date.now() / 1000 - uptime())}` : trimmed;
}

function numberInUse(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return errorCode(error) !== "ESRCH";
  }
}

/** State and start time from Linux's /proc; the name in parentheses may hold spaces and parentheses. */
function procStat(pid: number): { readonly state: string; readonly start: string } | undefined {
  const stat = read(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, start] = [fields?.[0], fields?.[19]];
  return state === undefined || start === undefined ? undefined : { state, start };
}

function read(source: () => string): string | undefined {
  try {
    return source();
  } catch {
    return undefined;
  }
}
