/** @file Makes media/sample again: `data` writes its texts, `base` pre-trains its model (about half an hour on two cores). */
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { main, processConsole } from "../../cli/main.ts";
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

/** Pre-trains in dist/sample and puts the result to media/sample/base. */
async function makeBase(): Promise<number> {
  await rm(workshop, { recursive: true, force: true });
  await writePretrainingData(join(workshop, "data"));
  await writeBlankModel(join(workshop, "blank"));
  await mkdir(join(workshop, ".spectune"), { recursive: true });
  const recipe = join(workshop, "pretrain.peft.yaml");
  await cp(join(import.meta.dirname, "pretrain.peft.yaml"), recipe);
  const code = await main(["run", recipe], { ...processConsole(), cwd: workshop });
  if (code !== 0) return code;
  const runs = join(workshop, ".spectune/runs");
  const [run = ""] = (await readdir(runs)).toSorted().toReversed();
  await rm(join(sample, "base"), { recursive: true, force: true });
  await cp(join(runs, run, "merged"), join(sample, "base"), { recursive: true });
  return 0;
}
