/** @file What happens when nobody can read what is said: a full disk behind a redirection, a reader that is gone. */
import process from "node:process";
import { errorCode } from "../engine/runs/file-errors.ts";
import { messageOf } from "../shared/errors.ts";

/**
 * Without its results a command has no use: it ends, with a word where the reader did not end it. What is said
 * beside the results may be lost: the work, hours perhaps, goes on, and the exit code tells.
 */
export function watchOutputs(): void {
  process.stdout.on("error", (error) => {
    if (errorCode(error) !== "EPIPE")
      process.stderr.write(
        `error: Standard output cannot be written: ${messageOf(error)}. [output-not-written]\n`,
      );
    process.exit(1);
  });
  let lost = false;
  process.stderr.on("error", () => {
    lost = true;
  });
  process.once("exit", (code) => {
    if (lost && code === 0) process.exitCode = 1;
  });
}
