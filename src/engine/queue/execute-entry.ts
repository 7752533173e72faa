/** @file Runs an entry of the queue: a sweep by the sweep runner, anything else as the one run that it is. */
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { CatalogFields } from "../../shared/experiment/fields/catalog-fields.ts";
import type { Normalised } from "../../shared/experiment/normalise.ts";
import { readExperiment } from "../../shared/experiment/normalise.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import type { Clock } from "../runs/ownership.ts";
import { runsFolder } from "../runs/run-folder.ts";
import { runSweep } from "../sweeps/run-sweep.ts";
import type { Runner } from "../sweeps/runner.ts";
import { sweepsFolder } from "../sweeps/sweep-folder.ts";
import type { SweepRecord } from "../sweeps/sweep-record.ts";
import { throwErrors } from "../weights/read-errors.ts";
import type { EntryPlace, Execute } from "./drain.ts";
import type { QueueEntry } from "./queue-entry.ts";

export interface ExecuteOptions {
  readonly spectuneFolder: string;
  readonly catalog: CatalogFields;
  readonly runner: Runner;
  readonly clock: Clock;
  readonly onRecord: (record: SweepRecord) => void;
}

/** Begins an entry, or goes on with the sweep or run that it has. */
export function createExecute(options: ExecuteOptions): Execute {
  return async (entry, begun, signal) => {
    const { name, document } = entry;
    const normalised = readExperiment({
      file: `${name} in the queue`,
      text: document,
      catalog: options.catalog,
    });
    throwErrors(normalised.findings);
    // The place must be on the disk before the work ends, and a failed write is heard of.
    const notes: Promise<void>[] = [];
    const note = (place: EntryPlace) => void notes.push(begun(place));
    const isSweep = normalised.experiment?.sweep != null;
    const work = isSweep ? executeSweep : executeRun;
    const outcome = await work(options, entry, normalised, note, signal);
    await Promise.all(notes);
    return outcome;
  };
}

type Work = (
  options: ExecuteOptions,
  entry: QueueEntry,
  normalised: Normalised,
  note: (place: EntryPlace) => void,
  signal: AbortSignal,
) => ReturnType<Execute>;

const executeSweep: Work = async (options, entry, normalised, note, signal) => {
  const { spectuneFolder, catalog, runner, clock, onRecord } = options;
  const { name, folder } = entry;
  const begun = await existing(sweepsFolder(spectuneFolder), entry.sweep);
  const { status, record } = await runSweep({
    sweep:
      begun === undefined
        ? { spectuneFolder, name, folder, normalised }
        : { sweepFolder: begun, failed: "keep" },
    catalog,
    runner,
    clock,
    signal,
    onFolder: (sweepFolder) => note({ sweep: basename(sweepFolder) }),
    onRecord,
  });
  if (status === "stopped") return status;
  const failed = record.runs.filter(({ state }) => state === "failed").length;
  if (failed > 0)
    throw new UserError({
      code: "runs-failed",
      message: `${failed} of the sweep's ${record.runs.length} runs failed.`,
    });
  return status;
};

const executeRun: Work = async (options, entry, normalised, note, signal) => {
  const { spectuneFolder, runner } = options;
  const { name, folder } = entry;
  const { experiment } = normalised;
  if (experiment === undefined)
    throw new UserError({ code: "invalid-experiment", message: `${name} is no experiment.` });
  const resume = await existing(runsFolder(spectuneFolder), entry.run);
  // Killed between the run's end and the entry's.
  const done = resume === undefined ? undefined : await runner.finished(resume);
  if (done) return done.status;
  const { status } = await runner.run({
    experiment,
    folder,
    name,
    label: name,
    spectuneFolder,
    resume,
    onFolder: (runFolder) => note({ run: basename(runFolder) }),
    signal,
  });
  return status;
};

/** The folder that an earlier try has begun, unless it is gone. */
async function existing(parent: string, name: string | undefined): Promise<string | undefined> {
  if (name === undefined) return undefined;
  const folder = join(parent, basename(name));
  return (await unlessMissing(stat(folder))) === undefined ? undefined : folder;
}
