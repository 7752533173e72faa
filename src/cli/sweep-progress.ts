/** @file Shows a sweep on the console: each run as it begins and ends, and a table of them in the end. */
import type { RunOfSweep, SweepRecord } from "../engine/sweeps/sweep-record.ts";
import type { Console } from "./define.ts";
import { figure, table } from "./format.ts";

/** Tells of every run that begins or ends; give it to `runSweep` as `onRecord`. */
export function createSweepProgress(console: Console): (record: SweepRecord) => void {
  const told = new Map<number, RunOfSweep["state"]>();
  return ({ runs }) => {
    runs.forEach((run, index) => {
      const before = told.get(index);
      if (before === run.state || run.state === "waiting") return;
      told.set(index, run.state);
      const error = run.error === undefined ? "" : `: ${run.error.message} [${run.error.code}]`;
      console.err(`run ${index + 1} of ${runs.length}, ${run.label}: ${run.state}${error}\n`);
    });
  };
}

/** All runs with their state and metrics. */
export function sweepTable({ runs }: SweepRecord): string {
  const names = [...new Set(runs.flatMap(({ metrics = {} }) => Object.keys(metrics)))];
  return table(
    [
      { title: "run" },
      { title: "state" },
      ...names.map((title) => ({ title, right: true })),
      { title: "folder" },
    ],
    runs.map(({ label, state, metrics = {}, run = "", error }) => [
      label,
      state,
      ...names.map((name) => {
        const value = metrics[name];
        return value === undefined ? "" : figure(value);
      }),
      error === undefined ? run : `${error.message} [${error.code}]`,
    ]),
  );
}
