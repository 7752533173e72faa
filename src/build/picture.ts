/** @file `npm run picture` runs the quickstart's three experiments on a copy of the sample, and draws the README's picture of them. */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main, processConsole } from "../cli/main.ts";
import { versions } from "../cli/version.ts";
import { loadEvents } from "../engine/runs/events-log.ts";
import type { DrawnRun } from "./picture/draw.ts";
import { draw } from "./picture/draw.ts";
import { writeNumbers } from "./picture/numbers.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "media/readme");

const experiments = [
  { name: "full", file: "full.peft.yaml" },
  { name: "LoRA", file: "lora.peft.yaml" },
  { name: "QLoRA", file: "qlora.peft.yaml" },
] as const;

const workshop = await mkdtemp(join(tmpdir(), "spectune-picture-"));
try {
  await mkdir(join(workshop, ".spectune"));
  await cp(join(root, "media/sample"), join(workshop, "sample"), { recursive: true });
  const runs: DrawnRun[] = [];
  for (const { name, file } of experiments)
    runs.push(await drawnRun(name, join(workshop, "sample", file)));
  await mkdir(folder, { recursive: true });
  await writeNumbers(join(folder, "quickstart.json"), { versions: versions(), runs });
  await writeFile(join(folder, "quickstart.svg"), draw(runs));
} finally {
  await rm(workshop, { recursive: true, force: true });
}

/** Runs an experiment and takes what is drawn from the record that it leaves. */
async function drawnRun(name: string, file: string): Promise<DrawnRun> {
  let out = "";
  const console = { ...processConsole(), out: (text: string) => void (out += text), cwd: workshop };
  const code = await main(["run", file, "--json"], console);
  if (code !== 0) throw new Error(`${file} ended with code ${code}.`);
  const line: unknown = JSON.parse(out.trim().split("\n").at(-1) ?? "");
  const runDir = typeof line === "object" && line !== null && "runDir" in line ? line.runDir : "";
  const { value: events } = await loadEvents(String(runDir));
  const score = (moment: "before" | "after"): number => {
    const found = events.find(
      (event) => event.type === "eval" && event.split === "eval" && event.moment === moment,
    );
    return found?.type === "eval" ? (found.metrics["exact_match"] ?? NaN) : NaN;
  };
  const ended = events.find((event) => event.type === "ended");
  return {
    name,
    trainableParameters: ended?.type === "ended" ? ended.summary.trainableParameters : NaN,
    losses: events.flatMap((event) =>
      event.type === "step" ? [Number(event.loss.toPrecision(4))] : [],
    ),
    before: score("before"),
    after: score("after"),
  };
}
