/** @file Drains the queue of the `.spectune` folder given, at a word from outside, telling of each entry. */
import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createExecute } from "../../../src/engine/queue/execute-entry.ts";
import { drainQueue } from "../../../src/engine/queue/drain.ts";
import { systemClock } from "../../../src/engine/runs/ownership.ts";
import { smallCatalog } from "../../unit/shared/experiment/small-catalog.ts";
import { pretendEngine } from "../../unit/engine/sweeps/pretend-engine.ts";

const [spectuneFolder = "."] = process.argv.slice(2);
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
process.stdout.write("ready\n");
await input.next();
const execute = createExecute({
  spectuneFolder,
  catalog: smallCatalog,
  runner: pretendEngine({ during: () => sleep(10) }),
  clock: systemClock,
  onRecord: () => undefined,
});
const { finished, busy } = await drainQueue({
  spectuneFolder,
  device: undefined,
  execute,
  clock: systemClock,
  signal: new AbortController().signal,
  onEntry: (_id, { name }, change) => void process.stdout.write(`${name} ${change}\n`),
});
process.stdout.write(`done ${finished} busy ${busy.join(",")}\n`);
process.exit(0);
