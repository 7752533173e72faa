/** @file Runs or resumes a sweep of pretended runs in `.spectune` under the folder given, telling of each moment. */
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../../src/engine/runs/ownership.ts";
import { runSweep } from "../../../src/engine/sweeps/run-sweep.ts";
import { listSweeps, sweepsFolder } from "../../../src/engine/sweeps/sweep-folder.ts";
import { smallCatalog } from "../../unit/shared/experiment/small-catalog.ts";
import { pretendEngine } from "../../unit/engine/sweeps/pretend-engine.ts";
import { readSweep } from "../../unit/engine/sweeps/read-document.ts";

const [folder = "."] = process.argv.slice(2);
const spectuneFolder = join(folder, ".spectune");
const sweep =
  "{ grid: { method.r: [2, 4] }, tune: { train.learning_rate: { times: [0.5, 1] } }, seeds: [0, 1] }";

const [known] = await listSweeps(spectuneFolder);
const runner = pretendEngine({
  during: async ({ label, resume }) => {
    process.stdout.write(`${resume === undefined ? "begins" : "goes on"} ${label}\n`);
    await sleep(15);
  },
});
const { status } = await runSweep({
  sweep:
    known === undefined
      ? { spectuneFolder, name: "s", folder, normalised: readSweep(sweep) }
      : { sweepFolder: join(sweepsFolder(spectuneFolder), known), failed: "keep" },
  catalog: smallCatalog,
  runner,
  clock: systemClock,
  signal: new AbortController().signal,
  onFolder: () => undefined,
  onRecord: () => undefined,
});
process.stdout.write(`${status}\n`);
