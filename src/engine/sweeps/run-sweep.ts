/** @file Runs a sweep: one run after the other, whatever fails or is killed on the way, and tuning before results. */
import { readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { Cancelled, UserError, at, messageOf } from "../../shared/errors.ts";
import type { CatalogFields } from "../../shared/experiment/fields/catalog-fields.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { readExperiment } from "../../shared/experiment/normalise.ts";
import type { Normalised } from "../../shared/experiment/normalise.ts";
import type { ExpandedSweep } from "../../shared/experiment/sweep.ts";
import { expandSweep, experimentAt } from "../../shared/experiment/sweep.ts";
import { plain } from "../../shared/experiment/tree.ts";
import { writeYaml } from "../../shared/experiment/write-yaml.ts";
import { isRecord } from "../../shared/wire.ts";
import type { Json } from "../../shared/schema.ts";
import type { Outcome } from "../../shared/protocol.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import type { Clock } from "../runs/ownership.ts";
import { acquireRun, startHeartbeat } from "../runs/ownership.ts";
import { runsFolder } from "../runs/run-folder.ts";
import { throwErrors } from "../weights/read-errors.ts";
import { checkMatch, mustMatch } from "./match.ts";
import { nextRun, overridesOf, withChoices } from "./next-run.ts";
import type { RunOutcome, Runner } from "./runner.ts";
import { createSweep, documentFile, loadRecord, saveRecord, spectuneOf } from "./sweep-folder.ts";
import type { RunOfSweep, SweepFailure, SweepRecord } from "./sweep-record.ts";
import { newRecord, reset, withRun } from "./sweep-record.ts";

/** A sweep that is new: what the experiment file says, read and checked. */
export interface NewSweep {
  readonly spectuneFolder: string;
  readonly name: string;
  /** Folder that the document's paths are relative to. */
  readonly folder: string;
  readonly normalised: Normalised;
}

/** A sweep to go on with; `failed` says whether runs that have failed are tried again. */
export interface ResumedSweep {
  readonly sweepFolder: string;
  readonly failed: "keep" | "retry";
}

export interface SweepOptions {
  readonly sweep: NewSweep | ResumedSweep;
  readonly catalog: CatalogFields;
  readonly runner: Runner;
  readonly clock: Clock;
  /** Aborting stops the current run after its step, with a checkpoint, and the sweep behind it. */
  readonly signal: AbortSignal;
  readonly onFolder: (sweepFolder: string) => void;
  /** Hears of every change: a run begins, ends, is chosen. */
  readonly onRecord: (record: SweepRecord) => void;
}

export interface SweepResult {
  readonly sweepDir: string;
  /** `failed` where `limits.on_failure: stop` ended it; runs that failed on the way do not. */
  readonly status: Outcome;
  readonly record: SweepRecord;
}

/**
 * Runs or resumes a sweep. Wrong input, points that `match` refuses among it, is thrown as {@link UserError}
 * before anything is written. The record is on the disk before each run begins and after each ends.
 */
export async function runSweep(options: SweepOptions): Promise<SweepResult> {
  const opened =
    "normalised" in options.sweep
      ? await begin(options, options.sweep)
      : await resume(options, options.sweep);
  const { sweepFolder, normalised } = opened;
  const ownership = await acquireRun(sweepFolder, options.clock);
  const lost = new AbortController();
  const stopBeating = startHeartbeat(ownership, () => {
    lost.abort();
  });
  let outcome: Outcome = "failed";
  try {
    options.onFolder(sweepFolder);
    const record = await opened.record();
    const signal = AbortSignal.any([options.signal, lost.signal]);
    const save = createSaver(sweepFolder, ownership.check, options.onRecord);
    const result = await runAll({ options, sweepFolder, normalised, signal, save }, record);
    outcome = result.status;
    await options.runner.report?.(sweepFolder);
    return { sweepDir: sweepFolder, ...result };
  } finally {
    stopBeating();
    await ownership.release(outcome).catch(() => undefined);
  }
}

interface Opened {
  readonly sweepFolder: string;
  readonly normalised: Normalised;
  /** The record to begin with, once the sweep is owned. */
  readonly record: () => Promise<SweepRecord>;
}

async function begin(
  { catalog, runner, clock }: SweepOptions,
  { spectuneFolder, name, folder, normalised }: NewSweep,
): Promise<Opened> {
  const expanded = checkSweep(normalised, catalog);
  const match = normalised.experiment?.sweep?.match;
  if (match !== undefined && mustMatch(match)) {
    const numbers = [];
    for (const { experiment } of expanded.points)
      numbers.push(await runner.plan(experiment, folder));
    throwErrors(checkMatch(expanded.points, numbers, match, catalog));
  }
  const record = newRecord({ name, folder, created: clock.now() }, expanded);
  const sweepFolder = await createSweep(spectuneFolder, record, documentText(normalised));
  return { sweepFolder, normalised, record: () => Promise.resolve(record) };
}

/** The document as a file, expressions and all: with `alpha: 2r` a point of another r has another alpha. */
export function documentText({ document }: Normalised): string {
  const value = plain(document);
  const isMap = (json: Json): json is Readonly<Record<string, Json>> => isRecord(json);
  return writeYaml(isMap(value) ? value : {});
}

async function resume(
  { catalog }: SweepOptions,
  { sweepFolder, failed }: ResumedSweep,
): Promise<Opened> {
  // A folder that is no sweep is not to be owned.
  await loadRecord(sweepFolder);
  const file = documentFile(sweepFolder);
  const normalised = readExperiment({
    file,
    text: (await unlessMissing(readFile(file, "utf8"))) ?? "",
    catalog,
  });
  const expanded = checkSweep(normalised, catalog);
  return { sweepFolder, normalised, record: () => recordAgain(sweepFolder, expanded, failed) };
}

/** The record of a sweep that is owned, made ready to go on. */
async function recordAgain(
  sweepFolder: string,
  { runs }: ExpandedSweep,
  failed: ResumedSweep["failed"],
): Promise<SweepRecord> {
  const record = await loadRecord(sweepFolder);
  const same =
    runs.length === record.runs.length &&
    runs.every(({ label }, index) => label === at(record.runs, index).label);
  if (!same)
    throw new UserError({
      code: "sweep-changed",
      message: "The sweep's file does not give the runs that its record has.",
      place: { file: documentFile(sweepFolder) },
      remedy: "Undo the change, or start a new sweep.",
    });
  if (failed === "keep") return record;
  const ended = ({ state }: RunOfSweep) => state === "failed" || state === "skipped";
  return { ...record, runs: record.runs.map((run) => (ended(run) ? reset(run) : run)) };
}

/** Points and runs, each of them a whole experiment; a {@link UserError} names the first that is none. */
export function checkSweep(normalised: Normalised, catalog: CatalogFields): ExpandedSweep {
  throwErrors(normalised.findings);
  const { value, findings } = expandSweep(normalised, catalog);
  throwErrors(findings);
  if (value === undefined)
    throw new UserError({
      code: "invalid-experiment",
      message: "The sweep has no points that can be run.",
    });
  // Values that tuning tries are seen here for the first time.
  for (const { overrides, seed } of value.runs)
    throwErrors(experimentAt(normalised.document, overrides, seed, catalog).findings);
  return value;
}

interface Parts {
  readonly options: SweepOptions;
  readonly sweepFolder: string;
  readonly normalised: Normalised;
  readonly signal: AbortSignal;
  readonly save: (record: SweepRecord) => Promise<void>;
}

async function runAll(
  parts: Parts,
  first: SweepRecord,
): Promise<{ readonly status: Outcome; readonly record: SweepRecord }> {
  const { normalised, signal, save } = parts;
  const sweep = normalised.experiment?.sweep;
  const settle = (record: SweepRecord) => withChoices(record, sweep?.tune?.select);
  let record = settle(first);
  for (let index = nextRun(record); index !== undefined; index = nextRun(record)) {
    if (signal.aborted) return { status: "stopped", record };
    record = await runNext(parts, record, index);
    record = settle(record);
    await save(record);
    const { state } = at(record.runs, index);
    if (state === "stopped") return { status: "stopped", record };
    if (state === "failed" && sweep?.limits.on_failure === "stop")
      return { status: "failed", record };
  }
  await save(record);
  return { status: "finished", record };
}

/** Runs one run; what it came to is in the record that comes back. */
async function runNext(
  { options, sweepFolder, normalised, signal, save }: Parts,
  before: SweepRecord,
  index: number,
): Promise<SweepRecord> {
  const { runner, catalog } = options;
  const run = at(before.runs, index);
  const spectuneFolder = spectuneOf(sweepFolder);
  const known = await knownFolder(spectuneFolder, run);
  // Killed between the run's end and the record of it.
  const done = known === undefined ? undefined : await runner.finished(known);
  if (done) return withRun(before, index, { state: "finished", metrics: done.metrics });
  let record = withRun(before, index, { state: "running" });
  await save(record);
  const { experiment, findings } = experimentAt(
    normalised.document,
    overridesOf(record, run),
    run.seed,
    catalog,
  );
  const saves: Promise<void>[] = [];
  const change = await ended(async () => {
    throwErrors(findings);
    if (experiment === undefined)
      throw new UserError({
        code: "invalid-experiment",
        message: `The run ${run.label} is no experiment.`,
      });
    return await runner.run({
      experiment: run.kind === "tune" ? withoutTest(experiment) : experiment,
      folder: record.folder,
      name: `${record.name}-${run.label}`,
      label: run.label,
      spectuneFolder,
      resume: known,
      onFolder: (runFolder) => {
        record = withRun(record, index, { run: basename(runFolder) });
        saves.push(save(record));
      },
      signal,
    });
  });
  await Promise.all(saves);
  return withRun(record, index, change);
}

/** Test data choose nothing: a tuning run does not even read them. */
function withoutTest(experiment: Experiment): Experiment {
  const { data } = experiment;
  return {
    ...experiment,
    data: { ...data, test: null },
    eval: { ...experiment.eval, final: [] },
  };
}

/** The run folder of an earlier try, unless it is gone. */
async function knownFolder(
  spectuneFolder: string,
  { run }: RunOfSweep,
): Promise<string | undefined> {
  if (run === undefined) return undefined;
  const folder = join(runsFolder(spectuneFolder), basename(run));
  return (await unlessMissing(stat(folder))) === undefined ? undefined : folder;
}

type Ending = Pick<RunOfSweep, "state" | "metrics" | "error">;

/** How a run ended, as the record has it: a failure of one run is no failure of the sweep. */
async function ended(work: () => Promise<RunOutcome>): Promise<Ending> {
  try {
    const { status, metrics } = await work();
    return status === "finished" ? { state: "finished", metrics } : { state: "stopped" };
  } catch (error) {
    return error instanceof Cancelled
      ? { state: "stopped" }
      : { state: "failed", error: failureOf(error) };
  }
}

export function failureOf(error: unknown): SweepFailure {
  if (error instanceof UserError) return { code: error.code, message: error.message };
  return {
    code: "internal-error",
    message: messageOf(error),
  };
}

/** Saves one record after the other, and tells of each that is on the disk. */
function createSaver(
  sweepFolder: string,
  check: () => void,
  onRecord: (record: SweepRecord) => void,
): (record: SweepRecord) => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  return (record) => {
    const before = last;
    last = (async () => {
      await before.catch(() => undefined);
      check();
      await saveRecord(sweepFolder, record);
      onRecord(record);
    })();
    // Whoever awaits it hears of a failure; until then it must not end the process.
    last.catch(() => undefined);
    return last;
  };
}
