/** @file The engine's worker thread as the main thread sees it: promises of what it sends. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { UserError } from "../../shared/errors.ts";
import type { DeviceChoice, EventBody, PlanNumbers, RunSummary } from "../../shared/protocol.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";
import { flagPlaces } from "./messages.ts";
import { received } from "./sent-errors.ts";

/** What the engine found before the first step. */
export interface Prepared {
  readonly plan: PlanNumbers;
  readonly device: DeviceChoice;
}

/** The worker thread, as promises. */
export interface Engine {
  ready(onEvent: (event: EventBody) => void): Promise<Prepared>;
  run(
    runFolder: string,
    checkpoint: string | undefined,
    onEvent: (event: EventBody) => void,
    approve: () => Promise<void>,
  ): Promise<RunSummary>;
  /** Lets it end what it is in the midst of, for so many milliseconds at most. */
  end(graceMs?: number): Promise<void>;
}

/** A thread that is stopped within a native call takes the whole process with it: it is waited for first. */
const longestCallMs = 20_000;

/**
 * Where V8 puts what is new. It would let this grow to several times as much, though hardly anything there lives on: runs
 * that generate peaked 50 MB higher, and were no faster.
 */
const youngGenerationMb = 12;

export function startEngine(start: WorkerStart): Engine {
  // From the sources the worker is a TypeScript file beside this one, from a bundle a JavaScript one.
  const file = import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.mjs";
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMb },
  });
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
  const exited = once(worker, "exit").catch(() => undefined);
  worker.on("exit", (code) => {
    fail(
      new UserError({
        code: "engine-ended",
        message: `The engine ended with code ${code} before its work was done.`,
        remedy: "`spectune run --resume` goes on from the last step that the run saved.",
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
    async end(graceMs = longestCallMs) {
      Atomics.store(new Int32Array(start.flags), flagPlaces.end, 1);
      send({ type: "end" });
      await Promise.race([exited, sleep(graceMs, undefined, { ref: false })]);
      await worker.terminate();
    },
  };
}
