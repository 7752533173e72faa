/** @file Makes media/sample again: `data` writes its texts, `base` pre-trains its model (about 20 minutes on two cores). */
import { cp, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { main, processConsole } from "../../cli/main.ts";
import { isRecord } from "../../shared/wire.ts";
import { buildKernels } from "../kernels.ts";
import { writeBlankModel, writePretrainingData, writeTaskData } from "./make-data.ts";

const sample = join(import.meta.dirname, "../../../media/sample");
const workshop = join(import.meta.dirname, "../../../dist/sample");

await buildKernels();
const [what = "data"] = process.argv.slice(2);
if (what === "data") await writeTaskData(join(sample, "data"));
else if (what === "base") process.exitCode = await makeBase();
else {
  process.stderr.write("Say data or base.\n");
  process.exitCode = 2;
}

/** Pre-trains in dist/sample and, once it is done, puts the result to media/sample/base. */
async function makeBase(): Promise<number> {
  await rm(workshop, { recursive: true, force: true });
  await writePretrainingData(join(workshop, "data"));
  await writeBlankModel(join(workshop, "blank"));
  // The run's folder belongs here, not to the repository's other runs.
  await mkdir(join(workshop, ".spectune"), { recursive: true });
  const recipe = join(workshop, "pretrain.peft.yaml");
  await cp(join(import.meta.dirname, "pretrain.peft.yaml"), recipe);
  let last = "{}";
  const console = { ...processConsole(), out: (text: string) => void (last = text) };
  const code = await main(["run", recipe, "--json"], console);
  const result: unknown = JSON.parse(last);
  if (code !== 0 || !isRecord(result)) return code;
  const { status, runDir } = result;
  process.stderr.write(`${String(status)}: ${String(runDir)}\n`);
  if (status !== "finished" || typeof runDir !== "string") return 1;
  await rm(join(sample, "base"), { recursive: true, force: true });
  await cp(join(runDir, "merged"), join(sample, "base"), { recursive: true });
  return 0;
}
