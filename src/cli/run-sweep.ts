/** @file A sweep on the command line: found by its file or its name, run with its progress shown, told as a table. */
import { basename, dirname, join, resolve } from "node:path";
import { catalogFields } from "../engine/catalog.ts";
import { systemClock } from "../engine/runs/ownership.ts";
import { findSpectuneFolder, runsFolder } from "../engine/runs/run-folder.ts";
import { createEngineRunner } from "../engine/sweeps/engine-runner.ts";
import type { SweepOptions, SweepResult } from "../engine/sweeps/run-sweep.ts";
import { runSweep } from "../engine/sweeps/run-sweep.ts";
import { findSweep, spectuneOf } from "../engine/sweeps/sweep-folder.ts";
import type { Arguments, Console } from "./define.ts";
import { createProgress } from "./progress.ts";
import { hasSweep, usableDocument } from "./read-document.ts";
import { withStopSignal } from "./stop-signal.ts";
import { createSweepProgress, sweepTable } from "./sweep-progress.ts";
import { versions } from "./version.ts";

type Sweep = SweepOptions["sweep"];

/** The sweep that FILE holds or `--resume` names; `undefined` where they mean a single run. */
export async function sweepOf(args: Arguments, console: Console): Promise<Sweep | undefined> {
  const [file] = args.positionals;
  const reference = args.text("resume");
  if (file !== undefined && reference !== undefined) return undefined;
  if (reference !== undefined) {
    const spectuneFolder = await findSpectuneFolder(join(console.cwd, "x"));
    const sweepFolder = await findSweep(reference, spectuneFolder, console.cwd);
    return sweepFolder === undefined ? undefined : { sweepFolder, failed: "retry" };
  }
  if (file === undefined || !hasSweep(file, args.texts("set"), console)) return undefined;
  const path = resolve(console.cwd, file);
  return {
    spectuneFolder: await findSpectuneFolder(path),
    name: basename(file).replace(/(\.peft)?\.ya?ml$/, ""),
    folder: dirname(path),
    normalised: usableDocument(file, args.texts("set"), console),
  };
}

/** Runs it; exit code 1 where a run of it has failed. Resumed, what has failed is tried again. */
export async function runSweepShown(
  sweep: Sweep,
  args: Arguments,
  console: Console,
): Promise<0 | 1> {
  const progress = createProgress(console);
  const tell = createSweepProgress(console);
  const result = await withStopSignal(console, (signal) =>
    runSweep({
      sweep,
      catalog: catalogFields,
      runner: createEngineRunner({
        versions: versions(),
        onEvent: (event) => {
          progress.event(event);
        },
      }),
      clock: systemClock,
      signal,
      onFolder: (folder) => {
        console.err(`sweep folder ${folder}\n`);
      },
      onRecord: (record) => {
        progress.close();
        tell(record);
      },
    }),
  );
  progress.close();
  if (args.flag("json")) console.out(`${JSON.stringify(line(result))}\n`);
  else
    console.out(
      `${sweepTable(result.record)}\n${result.status}; \`spectune compare ${basename(result.sweepDir)}\` puts the runs side by side\n`,
    );
  const failed = result.record.runs.some(({ state }) => state === "failed");
  return failed || result.status === "failed" ? 1 : 0;
}

/** The last line of `--json`. */
function line({ status, sweepDir, record }: SweepResult): object {
  const parent = runsFolder(spectuneOf(sweepDir));
  return {
    status,
    sweepDir,
    runs: record.runs.map(({ kind, label, seed, state, run, metrics, error }) => {
      const runDir = run === undefined ? undefined : join(parent, run);
      return { kind, label, seed, status: state, runDir, metrics, error };
    }),
  };
}
