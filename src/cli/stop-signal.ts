/** @file Interrupts on the command line: the first stops after the step, the second ends the process. */
import process from "node:process";
import { endBySignal } from "../engine/session/end-by-signal.ts";
import type { Console } from "./define.ts";

/** Runs `work` with a signal that the first interrupt aborts. */
export async function withStopSignal<T>(
  console: Console,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (abort.signal.aborted) {
      endBySignal(signal);
      return;
    }
    console.err("\nStopping after this step; interrupt again to end at once.\n");
    abort.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await work(abort.signal);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}
