/** @file `spectune quickstart`: three ways to tune the sample's model, and one table. */
import { existsSync } from "node:fs";
import { readFile, readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { readResults, resultsPath } from "../../engine/metrics/results-file.ts";
import { loadEvents } from "../../engine/runs/events-log.ts";
import { findSpectuneFolder, runLayout } from "../../engine/runs/run-folder.ts";
import { createEngineRunner } from "../../engine/sweeps/engine-runner.ts";
import type { EventBody, Evaluation } from "../../shared/protocol.ts";
import { Cancelled, UserError } from "../../shared/errors.ts";
import { foldRun } from "../../shared/run-view.ts";
import { isRecord } from "../../shared/wire.ts";
import type { Command, Console } from "../define.ts";
import { createProgress } from "../progress.ts";
import type { Change, Example, Surroundings, TunedModel } from "../quickstart-report.ts";
import {
  evaluationText,
  introduction,
  quickstartReport,
  stoppedText,
} from "../quickstart-report.ts";
import { usableExperiment } from "../read-file.ts";
import { withStopSignal } from "../stop-signal.ts";
import { versions } from "../version.ts";

/** The sample beside the sources, and beside a bundle. */
const places = ["../../../media/sample", "../../media/sample"];

const ways = [
  { name: "full fine-tuning", file: "full.peft.yaml", about: "every parameter is trained" },
  {
    name: "LoRA",
    file: "lora.peft.yaml",
    about: "the model stays as it is; small matrices beside it are trained",
  },
  {
    name: "QLoRA (NF4)",
    file: "qlora.peft.yaml",
    about: "the same beside a model that is held in four bits a weight",
  },
] as const;

export const quickstartCommand: Command = {
  name: "quickstart",
  summary: "Tune the sample model by full fine-tuning, LoRA and QLoRA, and compare.",
  usage: "[FOLDER]",
  positionals: { min: 0, max: 1 },
  options: {},
  async run({ positionals: [folder] }, console) {
    const sample = sampleFolder(folder, console);
    const [example] = await taskExamples(join(sample, "data", "eval.jsonl"));
    const around = {
      sample,
      cwd: console.cwd,
      spectuneFolder: await findSpectuneFolder(join(console.cwd, "x")),
      command: commandWord(console),
      example,
    };
    console.err(introduction(example));
    const tuned = await withStopSignal(console, (signal) => tuneInAllWays(around, console, signal));
    console.out(quickstartReport(tuned, around));
    return 0;
  },
};

function sampleFolder(given: string | undefined, console: Console): string {
  const candidates =
    given === undefined
      ? places.map((place) => join(import.meta.dirname, place))
      : [resolve(console.cwd, given)];
  const found = candidates.find((place) => existsSync(join(place, ways[0].file)));
  if (found !== undefined) return found;
  throw new UserError({
    code: "no-sample",
    message: `${given ?? "The sample workspace"} is not there, or has no ${ways[0].file}.`,
    remedy:
      given === undefined
        ? "Install Spectune again."
        : "Give a copy of media/sample, or nothing for the sample itself.",
  });
}

/** Prompts and completions of a file of the sample. */
async function taskExamples(file: string): Promise<readonly Example[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .flatMap((line) => {
      const row: unknown = JSON.parse(line);
      if (!isRecord(row)) return [];
      return [{ prompt: String(row["prompt"]), completion: String(row["completion"]) }];
    });
}

async function tuneInAllWays(
  around: Surroundings,
  console: Console,
  signal: AbortSignal,
): Promise<readonly TunedModel[]> {
  const tuned: TunedModel[] = [];
  for (const [index, { name, file, about }] of ways.entries()) {
    console.err(`\n${index + 1} of ${ways.length} · ${name}: ${about} (${file})\n`);
    const began = performance.now();
    const runFolder = await tune(join(around.sample, file), console, signal);
    if (runFolder === undefined || signal.aborted)
      throw new Cancelled(stoppedText(runFolder, around));
    const seconds = (performance.now() - began) / 1000;
    tuned.push({ name, seconds, ...(await outcome(runFolder)) });
  }
  return tuned;
}

/** Runs a file in a process of its own, so that its peak memory is its own. */
async function tune(
  file: string,
  console: Console,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { experiment, folder } = await usableExperiment(file, [], console);
  const progress = createProgress(console);
  const onEvent = (event: EventBody): void => {
    if (event.type === "checkpoint") return;
    if (event.type !== "eval") {
      progress.event(event);
      return;
    }
    progress.close();
    console.err(evaluationText(event));
  };
  let runFolder: string | undefined;
  try {
    await createEngineRunner({ versions: versions(), onEvent }).run({
      experiment,
      folder,
      name: `quickstart-${basename(file, ".peft.yaml")}`,
      label: "",
      spectuneFolder: await findSpectuneFolder(file),
      resume: undefined,
      onFolder: (made) => (runFolder = made),
      signal,
    });
  } finally {
    progress.close();
  }
  return runFolder;
}

type Split = Evaluation["split"];
type Moment = Evaluation["moment"];

/** What a finished run has come to, from its folder. */
async function outcome(runFolder: string): Promise<Omit<TunedModel, "name" | "seconds">> {
  const { evaluations, summary } = foldRun((await loadEvents(runFolder)).value);
  const metric = (split: Split, moment: Moment, name: string): number =>
    evaluations.findLast((event) => event.split === split && event.moment === moment)?.metrics[
      name
    ] ?? NaN;
  const change = (split: Split, name: string): Change => ({
    before: metric(split, "before", name),
    after: metric(split, "after", name),
  });
  const saved = [runLayout.adapter, runLayout.merged]
    .map((name) => join(runFolder, name))
    .find((path) => existsSync(path));
  return {
    runFolder,
    saved: saved ?? runFolder,
    savedBytes: saved === undefined ? NaN : await folderBytes(saved),
    trainable: summary?.trainableParameters ?? NaN,
    memory: summary?.peakMemoryBytes ?? NaN,
    score: change("eval", "exact_match"),
    general: change("general", "loss"),
    testScore: metric("test", "after", "exact_match"),
    answer: {
      before: await firstAnswer(runFolder, "before"),
      after: await firstAnswer(runFolder, "after"),
    },
  };
}

async function firstAnswer(runFolder: string, moment: "before" | "after"): Promise<string> {
  const path = join(runFolder, ...resultsPath({ split: "eval", moment }).split("/"));
  const [first] = (await readResults(path)).value;
  return first?.completion?.generated ?? "";
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = entries
    .filter((entry) => entry.isFile())
    .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** What the user has written to come here, up to the command's name. */
function commandWord({ env }: Console): string {
  return env["npm_lifecycle_event"] === undefined ? "spectune" : "npm run -s spectune --";
}
