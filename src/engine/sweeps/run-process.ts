/**
 * @file The process of one run of a sweep. It has a process of its own, so that its peak memory is its own and
 * that a run which the system kills for its memory ends itself and not the sweep.
 */
import process from "node:process";
import { endBySignal } from "../session/end-by-signal.ts";
import { runExperiment } from "../session/run-experiment.ts";
import { sendable } from "../session/sent-errors.ts";
import type { FromRunProcess, ToRunProcess } from "./run-messages.ts";
import { isToRunProcess } from "./run-messages.ts";

const abort = new AbortController();
let interrupts = 0;

// An interrupt at the terminal reaches the sweep, too, which then says stop.
process.on("SIGINT", () => {
  interrupts += 1;
  if (interrupts > 1) endBySignal("SIGINT");
});
process.on("SIGTERM", () => {
  abort.abort();
});
// The sweep is gone: nobody will note what comes of this run, but it can be gone on with.
process.on("disconnect", () => {
  abort.abort();
});
process.on("message", (message: unknown) => {
  if (!isToRunProcess(message)) return;
  if (message.type === "stop") abort.abort();
  else void run(message);
});

async function run(task: Extract<ToRunProcess, { readonly type: "begin" }>): Promise<void> {
  const { experiment, folder, name, place, versions } = task;
  try {
    const { status, runDir } = await runExperiment({
      experiment,
      folder,
      name,
      place,
      versions,
      signal: abort.signal,
      onFolder: (runFolder) => {
        say({ type: "folder", runFolder });
      },
      onEvent: (event) => {
        say({ type: "event", event });
      },
    });
    say({ type: "done", status, runFolder: runDir });
  } catch (error) {
    say({ type: "failed", error: sendable(error) });
  } finally {
    // What has been said is on its way before the channel closes; nothing else holds the process.
    if (process.connected) process.disconnect();
  }
}

/** A message that a killed sweep no longer takes is dropped: without a callback it would end this process. */
function say(message: FromRunProcess): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
