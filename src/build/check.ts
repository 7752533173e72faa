/** @file `npm run check`: everything about the tree that shows without running it, two parts at a time, each with its time. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

interface Part {
  readonly name: string;
  /** A module of Node's to run, from the root, with its arguments. */
  readonly command: readonly string[];
}

const root = fileURLToPath(new URL("../..", import.meta.url));
/** What is kept here makes a second check faster, never laxer. */
const cache = "node_modules/.cache/spectune";
const tsc = "node_modules/typescript/bin/tsc";

/** The longest first, so that the other lane has time for the rest. */
const parts: readonly Part[] = [
  { name: "lint", command: ["src/build/check/lint.ts", `${cache}/lint.json`] },
  { name: "types", command: [tsc, "-p", ".", ...incremental("types")] },
  { name: "types of kernels", command: [tsc, "-p", "kernels", ...incremental("kernels")] },
  { name: "docs", command: ["src/build/docs.ts", "--check"] },
  { name: "walls", command: ["test/run.ts", "architecture"] },
  {
    name: "format",
    command: [
      "node_modules/prettier/bin/prettier.cjs",
      ...["--check", ".", "--log-level", "warn"],
      ...["--cache", "--cache-strategy", "content", "--cache-location", `${cache}/prettier`],
    ],
  },
];

/** Parts that run at once: two cores are what is promised. */
const lanes = 2;

const failed: string[] = [];
const start = performance.now();
const waiting = parts.values();
await Promise.all(
  Array.from({ length: lanes }, async () => {
    for (const part of waiting) await check(part);
  }),
);
const seconds = secondsSince(start);
process.stdout.write(
  failed.length === 0
    ? `All is well, in ${seconds} s.\n`
    : `Failed, in ${seconds} s: ${failed.join(", ")}.\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Runs a part and writes its line, under which all that it said follows where it failed. */
async function check({ name, command }: Part): Promise<void> {
  const began = performance.now();
  const { code, output } = await end(command);
  const result = code === 0 ? "passed" : "FAILED";
  if (code !== 0) failed.push(name);
  process.stdout.write(`${name.padEnd(18)}${secondsSince(began).padStart(5)} s  ${result}\n`);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n\n`);
}

interface End {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly output: string;
}

function end(command: readonly string[]): Promise<End> {
  const child = spawn(process.execPath, [...command], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject).on("close", (code) => {
      resolve({ code, output });
    });
  });
}

function incremental(name: string): readonly string[] {
  return ["--incremental", "--tsBuildInfoFile", join(cache, `${name}.tsbuildinfo`)];
}

function secondsSince(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}
