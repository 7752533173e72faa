/** @file The lab's thread as the main thread sees it: one request, one promise. */
import { Worker } from "node:worker_threads";
import { Cancelled, UserError } from "../../shared/errors.ts";
import type { Finding } from "../../shared/findings.ts";
import { received } from "../session/sent-errors.ts";
import type { FromLab, LabStart } from "./lab-messages.ts";
import type { LabRequest, LabResult } from "./lab-requests.ts";
import type { LookProgress } from "./look.ts";

export interface LabListener {
  readonly tell: (finding: Finding) => void;
  readonly progress: (progress: LookProgress) => void;
  /** When it aborts, the work ends at the next large product, and finished matrices are kept. */
  readonly signal: AbortSignal;
}

/** Runs a request in a thread of its own; its errors come as they were thrown there. */
export async function askLab(request: LabRequest, listener: LabListener): Promise<LabResult> {
  // From the sources the worker is a TypeScript file beside this one, from a bundle a JavaScript one.
  const file = import.meta.url.endsWith(".ts") ? "./lab-worker.ts" : "./lab-worker.mjs";
  const flag = new SharedArrayBuffer(4);
  const start: LabStart = { request, flag };
  const stop = (): void => {
    Atomics.store(new Int32Array(flag), 0, 1);
  };
  if (listener.signal.aborted) stop();
  listener.signal.addEventListener("abort", stop);
  const worker = new Worker(new URL(file, import.meta.url), { workerData: start });
  try {
    return await new Promise<LabResult>((resolve, reject) => {
      worker.on("message", (message: FromLab) => {
        switch (message.type) {
          case "finding":
            listener.tell(message.finding);
            return;
          case "progress":
            listener.progress(message.progress);
            return;
          case "done":
            resolve(message.result);
            return;
          case "cancelled":
            reject(new Cancelled(message.message));
            return;
          case "failed":
            reject(received(message.error));
        }
      });
      worker.on("error", reject);
      worker.on("exit", (code) => {
        reject(
          new UserError({
            code: "engine-ended",
            message: `The thread that computes ended with code ${code} before its work was done.`,
            remedy:
              "Matrices that were done are kept: call it again. If it ends so again, give it fewer at once with --matrices.",
          }),
        );
      });
    });
  } finally {
    listener.signal.removeEventListener("abort", stop);
    await worker.terminate();
  }
}
