/** @file Starts the command line so that it outlives the window: in a process group of its own, its output in a file. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { runFolderLine, sweepFolderLine } from "../shared/workbench.ts";
import type { Runtime } from "./runtime.ts";

export interface Launched {
  readonly pid: number | undefined;
  readonly log: string;
  /** What it makes, as soon as the process names its folder; `undefined` where it ends before. */
  readonly begun: Promise<Begun | undefined>;
  /** Its exit code, `null` where a signal ended it; never resolves where the window goes first. */
  readonly ended: Promise<number | null>;
}

/** A run's folder, or that of a sweep of runs. */
export interface Begun {
  readonly kind: "run" | "sweep";
  readonly folder: string;
}

export interface LaunchOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  /** A folder that is made where it lacks. */
  readonly logs: string;
  /** What the log is named after, behind the time. */
  readonly name: string;
  readonly now: Date;
}

const lookEveryMs = 100;
const logHeadBytes = 8192;

/** Starts `spectune …args`, and lets go of it. */
export function launchDetached(runtime: Runtime, options: LaunchOptions): Launched {
  const { args, cwd, logs, name, now } = options;
  mkdirSync(logs, { recursive: true });
  const time = now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-").replace(".", "");
  const log = join(logs, `${time.slice(0, 18)}-${name.replaceAll(/[^\w.-]+/g, "-")}.log`);
  const file = openSync(log, "a");
  const child = spawn(runtime.executable, [runtime.file("spectune.mjs"), ...args], {
    cwd,
    env: runtime.environment,
    detached: true,
    windowsHide: true,
    stdio: ["ignore", file, file],
  });
  closeSync(file);
  child.unref();
  const life = { over: false };
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) => {
      life.over = true;
      reject(error);
    });
    child.on("exit", (code) => {
      life.over = true;
      resolve(code);
    });
  });
  // Whoever waits for the end hears of a program that cannot be started.
  ended.catch(() => undefined);
  const begun = (async () => {
    for (;;) {
      // Asked before it reads, so that what a process wrote last is read.
      const last = life.over;
      const found = begunIn(await headOf(log));
      if (found !== undefined || last) return found;
      await sleep(lookEveryMs);
    }
  })();
  return { pid: child.pid, log, begun, ended };
}

function begunIn(head: string): Begun | undefined {
  for (const [kind, line] of [
    ["sweep", sweepFolderLine],
    ["run", runFolderLine],
  ] as const) {
    const folder = line.exec(head)?.[1]?.trim();
    if (folder !== undefined) return { kind, folder };
  }
  return undefined;
}

async function headOf(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(logHeadBytes), 0, logHeadBytes, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
