/**
 * @file The process in which the benchmark of methods trains: runs that it is sent, one after the other, so that a program
 * is loaded and compiled for many of them. Where `SPECTUNE_METHODS_PAUSE` names a file, it rests while that file exists.
 */
import { existsSync } from "node:fs";
import { isRecord } from "../../../src/shared/wire.ts";
import { UserError, messageOf } from "../../../src/shared/errors.ts";
import { measuredRun, prepared } from "../support/measured-run.ts";
import { median } from "../support/peak.ts";

/** Steps whose time is left out: programs are compiled in them. */
const warm = 3;

process.on("message", (message) => {
  if (!isRecord(message) || typeof message["document"] !== "string") return;
  const { document } = message;
  rest();
  (message["count"] === true ? count(document) : train(document)).then(
    (made) => process.send?.(made),
    // What is wrong with a row is an answer; what is wrong here is none.
    (error: unknown) =>
      process.send?.({
        [error instanceof UserError ? "refused" : "failed"]: messageOf(error).slice(0, 300),
      }),
  );
});

process.on("disconnect", () => {
  process.exit();
});

async function count(document: string): Promise<object> {
  const { setup, opened } = await prepared(document);
  await opened.source.close();
  return { parameters: setup.trainableParameters };
}

async function train(document: string): Promise<object> {
  const run = await measuredRun(document, rest);
  return {
    score: run.metrics["exact_match"],
    loss: run.metrics["loss"],
    parameters: run.prepared.setup.trainableParameters,
    ...(run.processor.length > warm && { step: median(run.processor.slice(warm)) }),
    memory: run.peakBytes,
  };
}

function rest(): void {
  const file = process.env["SPECTUNE_METHODS_PAUSE"];
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (file !== undefined && existsSync(file)) Atomics.wait(sleeper, 0, 0, 2000);
}
