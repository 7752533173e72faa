/** @file Runs one test file in a process of its own and says what came of it, however that process ends. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { isRecord } from "../../src/shared/wire.ts";
import type { TestRecord } from "./reporter.ts";

export interface FileOptions {
  /** Where the process works. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  /** A file that takes longer is ended, with all processes that it started. */
  readonly limitMs: number;
}

export interface FileResult {
  readonly passed: number;
  /** Each failure in full; an end that is not a test's counts as one. */
  readonly failures: readonly string[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  /** What the file printed, which is worth reading where something failed. */
  readonly printed: string;
}

/** Of what a file prints the end is kept. */
const keptCharacters = 20_000;

/** Runs `file` to its end, or to the end of its time. */
export async function runFile(file: string, options: FileOptions): Promise<FileResult> {
  const scratch = await mkdtemp(join(tmpdir(), "spectune-test-"));
  try {
    const destination = join(scratch, "records.ndjson");
    const ended = await end(file, destination, options);
    const text = await readFile(destination, "utf8").catch(() => "");
    return result(text.split("\n").flatMap(parseRecord), ended);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The files' processes that run now. */
const running = new Set<ChildProcess>();

/** Ends all that runs, for an interrupt: the processes have groups of their own, which a terminal does not reach. */
export function endRunningFiles(): void {
  for (const child of running) endGroup(child);
}

interface End {
  /** How the process ended where that is not by code 0, all tests passed, or 1, some failed. */
  readonly how: string | undefined;
  readonly code: number | null;
  readonly printed: string;
}

function end(file: string, destination: string, options: FileOptions): Promise<End> {
  const { root, env, limitMs } = options;
  const child = spawn(
    process.execPath,
    [
      `--test-reporter=${pathToFileURL(join(import.meta.dirname, "reporter.ts")).href}`,
      `--test-reporter-destination=${destination}`,
      file,
    ],
    {
      cwd: root,
      // Under `node --test` this makes a process report to its parent alone.
      env: { ...env, NODE_TEST_CONTEXT: undefined },
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    },
  );
  running.add(child);
  let printed = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed = (printed + text).slice(-keptCharacters);
    });
  return new Promise((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endGroup(child);
    }, limitMs);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      const ended = signal === null ? `with code ${String(code)}` : `by ${signal}`;
      const how = late
        ? `It was ended: it took more than ${limitMs / 1000} s.`
        : code === 0 || code === 1
          ? undefined
          : `Its process ended ${ended}.`;
      resolve({ how, code, printed });
    });
  });
}

/** Ends a process and whatever it started. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}

function result(records: readonly TestRecord[], { how, code, printed }: End): FileResult {
  const failures = records.flatMap((record) =>
    record.type === "failed" ? [`${record.name}\n${record.error}`] : [],
  );
  const passed = records.filter(({ type }) => type === "passed").length;
  const skipped = records.flatMap((record) => (record.type === "skipped" ? [record] : []));
  const warnings = records.flatMap((record) => (record.type === "warned" ? [record.message] : []));
  const wrong =
    how ??
    (failures.length + passed + skipped.length === 0
      ? "It reported no test."
      : !records.some(({ type }) => type === "end")
        ? "Its process ended before its tests did."
        : code === 1 && failures.length === 0
          ? `Its process ended with code 1, though no test failed. ${warnings.join("\n")}`
          : undefined);
  return {
    passed,
    failures: wrong === undefined ? failures : [...failures, wrong],
    skipped,
    printed,
  };
}

/** The record of a line; a line that was cut off is none. */
function parseRecord(line: string): readonly TestRecord[] {
  try {
    const record: unknown = JSON.parse(line);
    return isTestRecord(record) ? [record] : [];
  } catch {
    return [];
  }
}

function isTestRecord(record: unknown): record is TestRecord {
  return isRecord(record) && typeof record["type"] === "string";
}
