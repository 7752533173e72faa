/** @file The lab's thread: computes while the main thread draws progress and hears signals. */
import { parentPort, workerData } from "node:worker_threads";
import { Cancelled, invariant } from "../../shared/errors.ts";
import { sendable } from "../session/sent-errors.ts";
import type { FromLab } from "./lab-messages.ts";
import { isLabStart } from "./lab-messages.ts";
import { answer } from "./lab-requests.ts";

function send(message: FromLab): void {
  parentPort?.postMessage(message);
}

const start: unknown = workerData;
invariant(isLabStart(start), "the worker was started with other data");
const flag = new Int32Array(start.flag);
try {
  const result = await answer(start.request, {
    tell: (finding) => {
      send({ type: "finding", finding });
    },
    progress: (progress) => {
      send({ type: "progress", progress });
    },
    isCancelled: () => Atomics.load(flag, 0) === 1,
    now: () => performance.now(),
    time: () => new Date().toISOString(),
  });
  send({ type: "done", result });
} catch (error) {
  if (error instanceof Cancelled) send({ type: "cancelled", message: error.message });
  else send({ type: "failed", error: sendable(error) });
}
