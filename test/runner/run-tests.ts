/** @file Runs groups of test files one after the other and tells, in few lines, what came of them. */
import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { FileResult } from "./run-file.ts";
import { runFile } from "./run-file.ts";

export interface TestsOptions {
  /** The processes work here; a group is the folder `test/<group>`, whose `prepare.ts` runs before all of it. */
  readonly root: string;
  readonly groups: readonly string[];
  /** Whether the `*.deep.ts` run, too. */
  readonly deep: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly write: (text: string) => void;
  /** Milliseconds, of a clock that starts anywhere. */
  readonly now: () => number;
}

/** Two files at once: each may use more than one thread, and two cores are what is promised. */
const filesAtOnce = 2;

const minute = 60_000;

/** Runs the groups in their order; resolves to whether all is well. A group without files is not. */
export async function runTests(options: TestsOptions): Promise<boolean> {
  const { root, groups, deep, write, now } = options;
  const skips: string[] = [];
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const group of groups) {
    const folder = `test/${group}`;
    const files = globSync(deep ? "**/*.{test,deep}.ts" : "**/*.test.ts", {
      cwd: join(root, folder),
    }).map((file) => `${folder}/${file.replaceAll("\\", "/")}`);
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const start = now();
    if (files.length === 0) {
      counts.failed += 1;
      write(`✖ ${folder}: there is no test file.\n`);
    }
    const unready = prepare(folder, options);
    if (unready !== undefined) {
      counts.failed += 1;
      write(`\n✖ ${folder}/prepare.ts: ${unready}\n`);
    }
    const able = unready === undefined ? files.toSorted() : [];
    const env = { ...options.env, SPECTUNE_PREPARED: "1" };
    await runAll(able, { ...options, env }, (file, { passed, failures, skipped, printed }) => {
      counts.passed += passed;
      counts.failed += failures.length;
      counts.skipped += skipped.length;
      for (const failure of failures) write(`\n✖ ${file}: ${failure}\n`);
      if (failures.length > 0 && printed !== "") write(`\n${file} printed:\n${printed}\n`);
      for (const { name, reason } of skipped)
        skips.push(`  ${file}: ${name}${reason === "" ? "" : ` (${reason})`}`);
    });
    const seconds = ((now() - start) / 1000).toFixed(1);
    write(`${group.padEnd(12)} ${seconds.padStart(7)} s  ${inWords(counts)}\n`);
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  if (skips.length > 0) write(`\nSkipped:\n${skips.join("\n")}\n`);
  write(`\n${inWords(total)}\n`);
  return total.failed === 0;
}

/** Runs what a group wants before its first file; what it said where it failed. */
function prepare(folder: string, { root, env }: TestsOptions): string | undefined {
  const file = join(root, folder, "prepare.ts");
  if (!existsSync(file)) return undefined;
  const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
    cwd: root,
    env: { ...env, NODE_TEST_CONTEXT: undefined },
    encoding: "utf8",
    timeout: 6 * minute,
  });
  return status === 0 ? undefined : `${stdout}${stderr}`;
}

/** Runs the files, the next as soon as one ends. */
async function runAll(
  files: readonly string[],
  { root, env, deep }: TestsOptions,
  onEnd: (file: string, result: FileResult) => void,
): Promise<void> {
  const waiting = files.values();
  const limitMs = (deep ? 120 : 10) * minute;
  const lane = async (): Promise<void> => {
    for (const file of waiting)
      onEnd(file, await runFile(join(root, file), { root, env, limitMs }));
  };
  await Promise.all(Array.from({ length: filesAtOnce }, lane));
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
