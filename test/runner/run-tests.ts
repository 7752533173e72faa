/** @file Runs the files of all groups in one queue and tells, in few lines, what came of each group. */
import { execFile } from "node:child_process";
import { existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { FileResult } from "./run-file.ts";
import { runFile } from "./run-file.ts";

export interface TestsOptions {
  /** The processes work here; a group is the folder `test/<group>`, whose `prepare.ts` ends before all of it. */
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

/**
 * Runs the groups in their order, the next file as soon as one ends, so that no core waits for a group's longest file;
 * resolves to whether all is well. A group without files is not.
 */
export async function runTests(options: TestsOptions): Promise<boolean> {
  const { root, deep, write, now } = options;
  const compiled = compileCache();
  const env = { ...options.env, NODE_COMPILE_CACHE: compiled.folder };
  const groups = options.groups.map((name) => begin(name, { ...options, env }));
  const waiting = groups.flatMap((group) => group.files.map((file) => ({ group, file }))).values();
  const fileOptions = {
    root,
    env: { ...env, SPECTUNE_PREPARED: "1" },
    limitMs: (deep ? 120 : 10) * minute,
  };
  const lane = async (): Promise<void> => {
    for (const { group, file } of waiting) {
      group.start ??= now();
      if (await group.ready) add(group, file, await runFile(join(root, file), fileOptions), write);
      group.left -= 1;
      if (group.left === 0) tell(group, now() - group.start, write);
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, lane));
  compiled.forget();
  const skips = groups.flatMap((group) => group.skips);
  if (skips.length > 0) write(`\nSkipped:\n${skips.join("\n")}\n`);
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const group of groups) {
    total.passed += group.passed;
    total.failed += group.failed;
    total.skipped += group.skipped;
  }
  write(`\n${inWords(total)}\n`);
  return total.failed === 0;
}

/** A folder for what Node makes of the modules, which is most of the time of a short process; gone with this one. */
function compileCache(): { readonly folder: string; readonly forget: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "spectune-compiled-"));
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", remove);
  const forget = (): void => {
    process.off("exit", remove);
    remove();
  };
  return { folder, forget };
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface Group extends Counts {
  readonly name: string;
  readonly files: readonly string[];
  /** Whether its preparation went well. */
  readonly ready: Promise<boolean>;
  start: number | undefined;
  /** How many of its files have not ended. */
  left: number;
  readonly skips: string[];
}

/** Finds a group's files and starts its preparation, which mostly waits for others. */
function begin(name: string, options: TestsOptions): Group {
  const { root, deep, write } = options;
  const folder = `test/${name}`;
  const files = globSync(deep ? "**/*.{test,deep}.ts" : "**/*.test.ts", { cwd: join(root, folder) })
    .map((file) => `${folder}/${file.replaceAll("\\", "/")}`)
    .toSorted();
  const group: Group = {
    ...{ name, files, left: files.length, start: undefined },
    ...{ passed: 0, failed: 0, skipped: 0, skips: [] },
    ready: prepare(folder, options).then((unready) => {
      if (unready === undefined) return true;
      group.failed += 1;
      write(`\n✖ ${folder}/prepare.ts: ${unready}\n`);
      return false;
    }),
  };
  if (files.length === 0) {
    group.failed += 1;
    write(`✖ ${folder}: there is no test file.\n`);
  }
  return group;
}

/** Runs what a group wants before its first file; what it said where it failed. */
async function prepare(folder: string, { root, env }: TestsOptions): Promise<string | undefined> {
  const file = join(root, folder, "prepare.ts");
  if (!existsSync(file)) return undefined;
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [file],
      { cwd: root, env: { ...env, NODE_TEST_CONTEXT: undefined }, timeout: 6 * minute },
      (error, stdout, stderr) => {
        resolve(error === null ? undefined : `${stdout}${stderr}` || error.message);
      },
    );
  });
}

/** Counts what came of a file, and shows what is wrong with it. */
function add(
  group: Group,
  file: string,
  { passed, failures, skipped, printed }: FileResult,
  write: TestsOptions["write"],
): void {
  group.passed += passed;
  group.failed += failures.length;
  group.skipped += skipped.length;
  for (const failure of failures) write(`\n✖ ${file}: ${failure}\n`);
  if (failures.length > 0 && printed !== "") write(`\n${file} printed:\n${printed}\n`);
  for (const { name, reason } of skipped)
    group.skips.push(`  ${file}: ${name}${reason === "" ? "" : ` (${reason})`}`);
}

function tell(group: Group, milliseconds: number, write: TestsOptions["write"]): void {
  const seconds = (milliseconds / 1000).toFixed(1);
  write(`${group.name.padEnd(12)} ${seconds.padStart(7)} s  ${inWords(group)}\n`);
}

function inWords({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
