/** @file The engine's thread: prepares an experiment, waits for the run folder, trains, measures, exports. */
import { parentPort, workerData } from "node:worker_threads";
import { Cancelled, invariant } from "../../shared/errors.ts";
import type { EventBody } from "../../shared/protocol.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./messages.ts";
import { flagPlaces, isWorkerStart } from "./messages.ts";
import { machineFacts, memoryOfMachine } from "./machine-facts.ts";
import { prepareRun } from "./prepare-run.ts";
import { sendable } from "./sent-errors.ts";
import { loadRun, trainRun } from "./train-run.ts";

async function work(start: WorkerStart): Promise<void> {
  const flags = new Int32Array(start.flags);
  /** Takes a flag down and says whether it was up. */
  const lowered = (place: number): boolean => Atomics.exchange(flags, place, 0) === 1;
  const emit = (event: EventBody): void => {
    send({ type: "event", event });
  };
  // Whatever may be wrong with the input shows before the run folder is made.
  const prepared = await prepareRun(start.experiment, {
    emit,
    facts: machineFacts(),
    memory: { bytes: memoryOfMachine(), whereOver: "refuse" },
    now: new Date(start.now),
  });
  const loaded = await loadRun(prepared, emit, () => {
    if (Atomics.load(flags, flagPlaces.end) === 1) throw new Cancelled();
  });
  send({ type: "ready", plan: prepared.plan, device: prepared.device });
  const go = await received("go");
  const summary = await trainRun(loaded, {
    runFolder: go.runFolder,
    checkpoint: go.checkpoint,
    emit,
    async approve() {
      send({ type: "approve" });
      await received("approved");
    },
    requested: () =>
      lowered(flagPlaces.stop) ? "stop" : lowered(flagPlaces.checkpoint) ? "checkpoint" : undefined,
  });
  send({ type: "done", summary });
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

/** The next message of a type from the main thread; {@link Cancelled} where it wants nothing more. */
function received<T extends ToWorker["type"]>(
  type: T,
): Promise<Extract<ToWorker, { readonly type: T }>> {
  return new Promise((resolve, reject) => {
    const isWanted = (message: ToWorker): message is Extract<ToWorker, { readonly type: T }> =>
      message.type === type;
    const listen = (message: ToWorker): void => {
      if (!isWanted(message) && message.type !== "end") return;
      parentPort?.off("message", listen);
      if (isWanted(message)) resolve(message);
      else reject(new Cancelled());
    };
    parentPort?.on("message", listen);
  });
}

const start: unknown = workerData;
invariant(isWorkerStart(start), "the worker was started with other data");
try {
  await work(start);
} catch (error) {
  send({ type: "failed", error: sendable(error) });
}
