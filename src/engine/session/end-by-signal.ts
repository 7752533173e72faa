/** @file Ends a process in the midst of computing. */
import process from "node:process";

/**
 * Ends this process as the signal does where nobody listens; shells tell an interrupt as 130. `process.exit` would
 * stop the engine's thread within a native call, which aborts with a message of its own.
 */
export function endBySignal(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
