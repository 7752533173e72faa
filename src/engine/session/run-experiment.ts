/** @file Runs an experiment from the main thread: owns the run folder, the heartbeat, signals and events; a worker computes. */
import { join } from "node:path";
import { Cancelled, messageOf } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { serialise } from "../../shared/experiment/serialise.ts";
import type {
  EventBody,
  EventStamp,
  Outcome,
  RunResult,
  RunSummary,
  Started,
} from "../../shared/protocol.ts";
import { catalogFields } from "../catalog.ts";
import { writeRunReport } from "../lab/write-report.ts";
import { resumeCheckpoint } from "../runs/checkpoints.ts";
import { openEventsLog, readFirstEvent } from "../runs/events-log.ts";
import type { EventsLog } from "../runs/events-log.ts";
import { acquireRun, refuseIfInUse, startHeartbeat } from "../runs/ownership.ts";
import type { Ownership } from "../runs/ownership.ts";
import { thisProcess } from "../runs/process-identity.ts";
import { takeRequests } from "../runs/requests.ts";
import { createRun, runLayout } from "../runs/run-folder.ts";
import { openTensorboard, scalarsOf } from "../runs/tensorboard.ts";
import { withAbsolutePaths } from "./absolute-paths.ts";
import type { Engine, Prepared } from "./engine-thread.ts";
import { startEngine } from "./engine-thread.ts";
import type { InputHashes } from "./input-hashes.ts";
import { checkSameInputs, inputHashes } from "./input-hashes.ts";
import { flagBytes, flagPlaces } from "./messages.ts";
import { placesHere } from "./places-here.ts";
import { withSnapshot } from "./recorded-model.ts";
import { changedConditions, recordHeader } from "./same-bytes.ts";
import { sendable } from "./sent-errors.ts";
import { isFolder } from "../weights/on-disk.ts";

export interface RunOptions {
  readonly experiment: Experiment;
  /** Folder that the experiment's paths are relative to. */
  readonly folder: string;
  /** Goes into the run folder's name. */
  readonly name: string;
  /** `.spectune`, where a new run is made; or the run to go on with. */
  readonly place: { readonly spectuneFolder: string } | { readonly resume: string };
  readonly versions: Readonly<Record<string, string>>;
  readonly onEvent: (event: EventBody) => void;
  /** Called once, when the run folder is there. */
  readonly onFolder: (runFolder: string) => void;
  /** Aborting stops the run after the current step, with a checkpoint. */
  readonly signal: AbortSignal;
}

/** How often the run folder is looked at for requests. */
const requestPollMs = 500;

/**
 * Runs or resumes. Wrong input is thrown as {@link UserError} before anything is written; a failure of the
 * work is recorded in the run folder and comes back as status `failed`.
 */
export async function runExperiment(options: RunOptions): Promise<RunResult> {
  const flags = new SharedArrayBuffer(flagBytes);
  const absolute = withAbsolutePaths(options.experiment, options.folder, isFolder);
  const experiment = await withSnapshot(absolute, placesHere());
  const first = "resume" in options.place ? await firstStart(options.place.resume) : undefined;
  const begun = first?.begun ?? first?.time ?? Date.now();
  const hashing = inputHashes(experiment, placesHere());
  // What cannot be read the engine tells better; until it has, this must not count as unhandled.
  hashing.catch(() => undefined);
  const engine = startEngine({ experiment, folder: options.folder, now: begun, flags });
  const raise = (flag: keyof typeof flagPlaces): void =>
    void Atomics.store(new Int32Array(flags), flagPlaces[flag], 1);
  const onAbort = (): void => {
    raise("stop");
  };
  options.signal.addEventListener("abort", onAbort);
  let graceMs: number | undefined = setupGraceMs;
  try {
    if (options.signal.aborted) onAbort();
    // Until there is a run folder nothing is lost: a stop ends it at once, whatever the engine is about.
    const found = await unlessAborted(options.signal, engine.ready(options.onEvent));
    const inputs = await unlessAborted(options.signal, hashing);
    graceMs = undefined;
    if (first?.inputs) checkSameInputs(first.inputs, inputs);
    const ready = { ...found, begun, inputs, first };
    const runFolder =
      "resume" in options.place
        ? options.place.resume
        : await createRun(options.place.spectuneFolder, {
            name: options.name,
            time: Date.now(),
            experiment: `${recordHeader({ ...identity(), versions: options.versions, device: found.device }, inputs)}${serialise(experiment, catalogFields)}`,
          });
    const ownership = await acquireRun(runFolder);
    options.onFolder(runFolder);
    return await ownedRun({ ...options, experiment }, engine, ready, runFolder, ownership, raise);
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    await engine.end(graceMs);
  }
}

/** How long a native call may last that a stop comes upon before the run begins. */
const setupGraceMs = 3000;

/** What is aborted from the beginning on is asked to stop after its first step. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    aborted.reject(new Cancelled("Stopped before the first step; nothing was written."));
  };
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

interface Ready extends Prepared {
  readonly begun: number;
  readonly inputs: InputHashes;
  /** The run's first event, of a run that is resumed. */
  readonly first: Started | undefined;
}

/** The beginning of a run that is to be resumed; refused before anything is read where it is alive. */
async function firstStart(runFolder: string): Promise<(Started & EventStamp) | undefined> {
  await refuseIfInUse(runFolder);
  const first = await readFirstEvent(runFolder);
  return first?.type === "started" ? first : undefined;
}

async function ownedRun(
  options: RunOptions,
  engine: Engine,
  ready: Ready,
  runFolder: string,
  ownership: Ownership,
  raise: (flag: "stop" | "checkpoint") => void,
): Promise<RunResult> {
  const stopBeating = startHeartbeat(ownership, () => {
    raise("stop");
  });
  // Readers see at once that the request was heard: the step under way may be long.
  const showStopping = (): void => void ownership.stopping().catch(() => undefined);
  options.signal.addEventListener("abort", showStopping);
  if (options.signal.aborted) showStopping();
  const poll = setInterval(() => {
    void takeRequests(runFolder, ownership.attempt).then(
      (requests) => {
        for (const { type } of requests) {
          raise(type);
          if (type === "stop") showStopping();
        }
      },
      () => undefined,
    );
  }, requestPollMs);
  let outcome: Outcome = "failed";
  try {
    const { value: checkpoint, findings } = await resumeCheckpoint(runFolder, Date.now());
    const log = openEventsLog(runFolder, {
      attempt: ownership.attempt,
      now: Date.now,
      check: ownership.check,
    });
    const board = await tensorboardOf(
      options.experiment,
      runFolder,
      ownership.attempt,
      checkpoint?.step,
    );
    const emit = (event: EventBody): void => {
      const written = log.append(event);
      const scalars = scalarsOf(written);
      if (board && scalars) board.scalars(scalars.step, written.time / 1000, scalars.values);
      options.onEvent(event);
    };
    try {
      const { device, plan, begun, inputs, first } = ready;
      const conditions = { ...identity(), versions: options.versions, device };
      const resumedFrom = checkpoint ? { resumedFrom: checkpoint.step } : {};
      emit({ type: "started", run: runFolder, ...conditions, plan, begun, inputs, ...resumedFrom });
      const changed = first && checkpoint && changedConditions(first, conditions);
      for (const finding of [...findings, ...(changed ? [changed] : [])])
        emit({ type: "finding", finding });
      const summary = await engine.run(runFolder, checkpoint?.folder, emit, async () => {
        ownership.check();
        await log.flush();
      });
      outcome = summary.status;
      emit({ type: "ended", summary });
      return { ...summary, runDir: runFolder };
    } catch (error) {
      const summary = failedSummary(ready);
      recordFailure(log, error, summary);
      throw error;
    } finally {
      await board?.close();
      await log.close();
      if (outcome !== "failed") await reportOf(runFolder, options);
    }
  } finally {
    clearInterval(poll);
    options.signal.removeEventListener("abort", showStopping);
    stopBeating();
    await ownership.release(outcome).catch(() => undefined);
  }
}

/** A report that cannot be written is told of: the run is done. */
async function reportOf(
  runFolder: string,
  { versions, experiment, onEvent }: RunOptions,
): Promise<void> {
  const version = versions["spectune"] ?? "";
  const withoutText = !experiment.report.samples;
  try {
    await writeRunReport(runFolder, { version, withoutText, now: Date.now() });
  } catch (error) {
    const message = `The report could not be written: ${messageOf(error)}`;
    onEvent({ type: "log", level: "warning", message });
  }
}

function identity(): { readonly host: string; readonly pid: number; readonly platform: string } {
  const { host, pid } = thisProcess();
  return { host, pid, platform: `${process.platform}-${process.arch}` };
}

function recordFailure(log: EventsLog, error: unknown, summary: RunSummary): void {
  const { code, message, remedy } = sendable(error);
  try {
    log.append({
      type: "ended",
      summary,
      error: { code, message, ...(remedy === undefined ? {} : { remedy }) },
    });
  } catch {
    // A full disk must not hide the error that ended the run.
  }
}

function failedSummary({ plan }: Ready): RunSummary {
  return {
    status: "failed",
    steps: 0,
    trainableParameters: plan.trainableParameters,
    peakMemoryBytes: 0,
    tokensPerSecond: 0,
  };
}

async function tensorboardOf(
  { run }: Experiment,
  runFolder: string,
  attempt: number,
  restartAt: number | undefined,
): Promise<Awaited<ReturnType<typeof openTensorboard>> | undefined> {
  if (!run.report_to.includes("tensorboard")) return undefined;
  const { host } = thisProcess();
  return openTensorboard(join(runFolder, runLayout.tensorboard), {
    host,
    attempt,
    time: Date.now() / 1000,
    ...(restartAt === undefined ? {} : { restartAt }),
  });
}
