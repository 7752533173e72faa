/** @file A process that tries to take each run it is told of on its standard input, and keeps what it gets. */
import { createInterface } from "node:readline";
import { acquireRun } from "../../../src/engine/runs/ownership.ts";

process.stdout.write("ready\n");
for await (const folder of createInterface({ input: process.stdin })) {
  const answer = await acquireRun(folder).then(
    ({ attempt }) => `attempt ${attempt}`,
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "?"),
  );
  process.stdout.write(`${answer}\n`);
}
