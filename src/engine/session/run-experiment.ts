/** @file Runs an experiment from the main thread: owns the run folder, the heartbeat, signals and events; a worker computes. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { serialise } from "../../shared/experiment/serialise.ts";
import type {
  DeviceChoice,
  EventBody,
  Outcome,
  PlanNumbers,
  RunResult,
  RunSummary,
} from "../../shared/protocol.ts";
import { catalogFields } from "../catalog.ts";
import { resumeCheckpoint } from "../runs/checkpoints.ts";
import { openEventsLog } from "../runs/events-log.ts";
import type { EventsLog } from "../runs/events-log.ts";
import { acquireRun, startHeartbeat } from "../runs/ownership.ts";
import type { Ownership } from "../runs/ownership.ts";
import { thisProcess } from "../runs/process-identity.ts";
import { takeRequests } from "../runs/requests.ts";
import { createRun, runLayout } from "../runs/run-folder.ts";
import { openTensorboard, scalarsOf } from "../runs/tensorboard.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";
import { flagPlaces } from "./messages.ts";
import { withAbsolutePaths } from "./absolute-paths.ts";
import { received, sendable } from "./sent-errors.ts";

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
  const flags = new SharedArrayBuffer(8);
  const experiment = withAbsolutePaths(options.experiment, options.folder, isFolder);
  const start: WorkerStart = { experiment, folder: options.folder, flags };
  const engine = startEngine(start);
  const raise = (flag: keyof typeof flagPlaces): void =>
    void Atomics.store(new Int32Array(flags), flagPlaces[flag], 1);
  const onAbort = (): void => {
    raise("stop");
  };
  options.signal.addEventListener("abort", onAbort);
  try {
    if (options.signal.aborted) onAbort();
    const ready = await engine.ready(options.onEvent);
    const runFolder =
      "resume" in options.place
        ? options.place.resume
        : await createRun(options.place.spectuneFolder, {
            name: options.name,
            time: Date.now(),
            experiment: serialise(experiment, catalogFields),
          });
    const ownership = await acquireRun(runFolder);
    options.onFolder(runFolder);
    return await ownedRun({ ...options, experiment }, engine, ready, runFolder, ownership, raise);
  } finally {
    options.signal.removeEventListener("abort", onAbort);
    await engine.end();
  }
}

interface Ready {
  readonly plan: PlanNumbers;
  readonly device: DeviceChoice;
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
  const poll = setInterval(() => {
    void takeRequests(runFolder, ownership.attempt).then(
      (requests) => {
        for (const { type } of requests) raise(type);
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
      emit({
        type: "started",
        run: runFolder,
        ...identity(),
        versions: options.versions,
        device: ready.device,
        plan: ready.plan,
        ...(checkpoint ? { resumedFrom: checkpoint.step } : {}),
      });
      for (const finding of findings) emit({ type: "finding", finding });
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
    }
  } finally {
    clearInterval(poll);
    stopBeating();
    await ownership.release(outcome).catch(() => undefined);
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

/** The worker thread, as promises. */
interface Engine {
  ready(onEvent: (event: EventBody) => void): Promise<Ready>;
  run(
    runFolder: string,
    checkpoint: string | undefined,
    onEvent: (event: EventBody) => void,
    approve: () => Promise<void>,
  ): Promise<RunSummary>;
  end(): Promise<void>;
}

function startEngine(start: WorkerStart): Engine {
  // From the sources the worker is a TypeScript file beside this one, from a bundle a JavaScript one.
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.mjs";
  const worker = new Worker(new URL(file, import.meta.url), { workerData: start });
  const send = (message: ToWorker): void => {
    worker.postMessage(message);
  };
  let listener: (message: FromWorker) => void = () => undefined;
  let failed: (error: Error) => void = () => undefined;
  let fatal: Error | undefined;
  const fail = (error: Error): void => {
    fatal = error;
    failed(error);
  };
  worker.on("message", (message: FromWorker) => {
    if (message.type === "failed") fail(received(message.error));
    else listener(message);
  });
  worker.on("error", (error) => {
    fail(error instanceof Error ? error : new Error(String(error)));
  });
  worker.on("exit", (code) => {
    fail(
      new UserError({
        code: "engine-ended",
        message: `The engine ended with code ${code} before its work was done.`,
      }),
    );
  });
  const until = <T>(listen: (message: FromWorker, done: (value: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      if (fatal) reject(fatal);
      failed = reject;
      listener = (message) => {
        listen(message, resolve);
      };
    });
  return {
    ready: (onEvent) =>
      until((message, done) => {
        if (message.type === "ready") done(message);
        else if (message.type === "event") onEvent(message.event);
      }),
    run(runFolder, checkpoint, onEvent, approve) {
      send({ type: "go", runFolder, checkpoint });
      return until((message, done) => {
        try {
          if (message.type === "event") onEvent(message.event);
          else if (message.type === "done") done(message.summary);
          else if (message.type === "approve")
            approve().then(() => {
              send({ type: "approved" });
            }, fail);
        } catch (error) {
          fail(error instanceof Error ? error : new Error(String(error)));
        }
      });
    },
    async end() {
      await worker.terminate();
    },
  };
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
