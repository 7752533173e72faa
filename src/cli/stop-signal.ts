/** @file Interrupts on the command line: the first stops after the step, the second ends the process. */
import process from "node:process";
import { endBySignal } from "../engine/session/end-by-signal.ts";
import type { Console } from "./define.ts";

/** Runs `work` with a signal that the first interrupt aborts, when `stopping` is said. */
export async function withStopSignal<T>(
  console: Console,
  work: (signal: AbortSignal) => Promise<T>,
  stopping = "Stopping after this step",
): Promise<T> {
  const abort = new AbortController();
  const meaning = interrupts();
  const onSignal = (signal: NodeJS.Signals): void => {
    switch (meaning(performance.now())) {
      case "stop":
        console.err(`\n${stopping}; interrupt again to end at once.\n`);
        abort.abort();
        return;
      case "end":
        endBySignal(signal);
        return;
      case "echo":
    }
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await work(abort.signal);
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

/** Longer than one press needs to arrive by all its ways, shorter than a second press takes. */
const echoMilliseconds = 250;

/**
 * What each interrupt means, given when it comes. One press can arrive twice: the terminal sends it to every
 * process of the group, and npm sends it on to its script.
 */
export function interrupts(): (milliseconds: number) => "stop" | "echo" | "end" {
  let last: number | undefined;
  return (milliseconds) => {
    const meaning =
      last === undefined ? "stop" : milliseconds - last < echoMilliseconds ? "echo" : "end";
    last = milliseconds;
    return meaning;
  };
}
