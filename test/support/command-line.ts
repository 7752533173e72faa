/** @file The command line in tests: called in this process, or as a process of its own. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { main } from "../../src/cli/main.ts";
import { invariant } from "../../src/shared/errors.ts";
import { isRecord } from "../../src/shared/wire.ts";

export interface Outcome {
  /** The exit code, or the signal that ended it. */
  readonly code: number | string | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `spectune ARGS` in `folder`, in this process. */
export async function spectune(folder: string, ...args: readonly string[]): Promise<Outcome> {
  let out = "";
  let err = "";
  const code = await main(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    cwd: folder,
    env: cacheIn(folder),
    interactive: false,
    columns: 80,
  });
  return { code, out, err };
}

export interface Process {
  readonly process: ChildProcess;
  readonly end: Promise<Outcome>;
}

/** Starts `spectune ARGS` in `folder` as a process of its own, which is gone after the test. */
export function startSpectune(t: TestContext, folder: string, ...args: readonly string[]): Process {
  const entry = join(import.meta.dirname, "../../src/cli/spectune.ts");
  const env = { ...process.env, ...cacheIn(folder) };
  const child = spawn(process.execPath, [entry, ...args], { cwd: folder, env });
  t.after(() => child.kill("SIGKILL"));
  let out = "";
  let err = "";
  child.stdout.on("data", (data: Buffer) => (out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  const end = new Promise<Outcome>((done) =>
    child.once("close", (code, signal) => {
      done({ code: signal ?? code, out, err });
    }),
  );
  return { process: child, end };
}

/** Decompositions of small models are kept by the test, not by whoever runs it. */
function cacheIn(folder: string): Readonly<Record<string, string>> {
  return { SPECTUNE_CACHE: join(folder, ".spectune-cache") };
}

/** The last line of standard output, which is an object. */
export function lastLine({ out, err }: Outcome): Readonly<Record<string, unknown>> {
  const line: unknown = JSON.parse(out.trim().split("\n").at(-1) ?? "");
  invariant(isRecord(line), err);
  return line;
}

/** The workspace's run folders, in order. */
export function runsOf(folder: string): readonly string[] {
  const runs = join(folder, ".spectune", "runs");
  return readdirSync(runs)
    .toSorted()
    .map((name) => join(runs, name));
}
