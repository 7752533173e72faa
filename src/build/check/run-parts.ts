/** @file Runs the parts of a check, two at a time, and writes a line for each; all that a part said follows where it failed. */
import { spawn } from "node:child_process";
import process from "node:process";

export interface Part {
  readonly name: string;
  /** A module for Node to run, from the root, with its arguments. */
  readonly command: readonly string[];
}

export interface PartsOptions {
  readonly root: string;
  readonly write: (text: string) => void;
  /** Milliseconds, of a clock that starts anywhere. */
  readonly now: () => number;
}

/** Parts that run at once: two cores are what is promised. */
const lanes = 2;

/** Runs the parts in their order; resolves to the names of those that failed. */
export async function runParts(
  parts: readonly Part[],
  options: PartsOptions,
): Promise<readonly string[]> {
  const { write, now } = options;
  const start = now();
  const failed: string[] = [];
  const waiting = parts.values();
  const lane = async (): Promise<void> => {
    for (const part of waiting) if (!(await passes(part, options))) failed.push(part.name);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const seconds = inSeconds(now() - start);
  write(
    failed.length === 0
      ? `All is well, in ${seconds} s.\n`
      : `Failed, in ${seconds} s: ${failed.join(", ")}.\n`,
  );
  return failed;
}

async function passes({ name, command }: Part, options: PartsOptions): Promise<boolean> {
  const { root, write, now } = options;
  const start = now();
  const { code, output } = await end(command, root);
  const result = code === 0 ? "passed" : "FAILED";
  write(`${name.padEnd(18)}${inSeconds(now() - start).padStart(6)} s  ${result}\n`);
  if (code !== 0) write(`${output.trimEnd()}\n\n`);
  return code === 0;
}

interface End {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly output: string;
}

function end(command: readonly string[], cwd: string): Promise<End> {
  const child = spawn(process.execPath, [...command], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => {
      resolve({ code, output });
    });
  });
}

function inSeconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}
