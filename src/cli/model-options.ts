/** @file Which model a command means: a run's, or a base with or without an adapter. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { catalogFields } from "../engine/catalog.ts";
import type { Task } from "../engine/models/architecture.ts";
import { loadEvents } from "../engine/runs/events-log.ts";
import { findRun, findSpectuneFolder, runLayout } from "../engine/runs/run-folder.ts";
import { withAbsolutePaths } from "../engine/session/absolute-paths.ts";
import type { InferenceModel } from "../engine/session/open-for-inference.ts";
import { completedChoice, modelOfRun } from "../engine/session/run-model.ts";
import type { ModelPlaces } from "../engine/weights/hub-cache.ts";
import { referenceOf } from "../engine/weights/hub-cache.ts";
import { isFolder } from "../engine/weights/on-disk.ts";
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import { readExperiment } from "../shared/experiment/normalise.ts";
import { errorsOf } from "../shared/findings.ts";
import type { RunEvent } from "../shared/protocol.ts";
import { foldRun } from "../shared/run-view.ts";
import type { Arguments, Console, Options } from "./define.ts";
import { count } from "./format.ts";
import { findingText, recordedExperiment } from "./read-file.ts";
import { wrong } from "./wrong-arguments.ts";

/** Options of commands that take a run or a model. */
export const modelOptions = {
  model: {
    type: "string",
    value: "MODEL",
    doc: "A model folder, or a hub id in the local cache, in place of a run.",
  },
  revision: { type: "string", value: "NAME", doc: "Branch, tag or commit of a hub id." },
  adapter: { type: "string", value: "DIR", doc: "An adapter folder in peft's form." },
  task: {
    type: "string",
    value: "TASK",
    doc: "causal-lm or sequence-classification; by default what adapter and model are for.",
  },
  set: {
    type: "string",
    multiple: true,
    value: "KEY=VALUE",
    doc: "Override a field of the experiment, such as quantization=nf4 or run.threads=2.",
  },
} as const satisfies Options;

export interface ChosenModel {
  readonly model: InferenceModel;
  /** The run's experiment, or the defaults; paths are absolute. */
  readonly experiment: Experiment;
  readonly runFolder: string | undefined;
  readonly places: ModelPlaces;
}

/** `overrides` come before those of `--set`. */
export async function chosenModel(
  args: Arguments,
  console: Console,
  overrides: readonly string[],
): Promise<ChosenModel> {
  const [first] = args.positionals;
  const folder = first === undefined ? undefined : kindOf(first, console);
  const run = folder === undefined ? first : undefined;
  const all = [...overrides, ...args.texts("set")];
  const places = placesOf(console);
  if (run !== undefined) {
    const extra = (["model", "adapter", "revision", "task"] as const).find(
      (name) => args.text(name) !== undefined,
    );
    if (extra !== undefined)
      throw wrong(args, `a run says its model itself; --${extra} beside it has no meaning.`);
    return modelOf(run, console, all);
  }
  const given = (option: "model" | "adapter"): string | undefined => {
    if (folder !== option) return args.text(option);
    if (args.text(option) !== undefined)
      throw wrong(args, `${first ?? ""} and --${option} are two.`);
    return first;
  };
  const adapter = pathOf(given("adapter"), console);
  const [id, revision] = [given("model"), args.text("revision")];
  if (id === undefined && adapter === undefined)
    throw wrong(args, "give a run, a model or adapter folder, or a hub id.");
  const chosen = await completedChoice(
    {
      reference: id === undefined ? undefined : referenceOf({ id, revision }),
      adapter,
      task: taskNamed(args),
    },
    places,
  );
  const experiment = defaults(args, chosen.reference, chosen.task, all, console);
  return {
    experiment,
    runFolder: undefined,
    places,
    model: {
      ...chosen,
      trained: adapter === undefined ? { kind: "none" } : { kind: "adapter", folder: adapter },
      quantization: experiment.quantization,
      device: experiment.run,
    },
  };
}

/** What is named, where it is no run: a folder, or a hub id, which no run's name looks like. */
function kindOf(name: string, { cwd }: Console): "model" | "adapter" | undefined {
  const path = resolve(cwd, name);
  if (!existsSync(path) && /^[\w-][\w.-]*\/[\w.-]+$/.test(name)) return "model";
  return folderKind(path);
}

/** What a folder holds, where it is no run. */
function folderKind(path: string): "model" | "adapter" | undefined {
  if (existsSync(join(path, runLayout.experiment))) return undefined;
  if (existsSync(join(path, "adapter_config.json"))) return "adapter";
  return existsSync(join(path, "config.json")) ? "model" : undefined;
}

/** A run's model, by its folder or a part of its name. */
export async function modelOf(
  run: string,
  console: Console,
  overrides: readonly string[],
): Promise<ChosenModel> {
  const runFolder = await findRun(
    run,
    await findSpectuneFolder(join(console.cwd, "x")),
    console.cwd,
  );
  const record = join(runFolder, runLayout.experiment);
  const { experiment } = await recordedExperiment(record, overrides, console);
  const model = await modelOfRun(runFolder, experiment);
  const unfinished = unfinishedNote(runFolder, model, (await loadEvents(runFolder)).value);
  if (unfinished !== undefined) console.err(unfinished);
  return {
    model,
    experiment,
    runFolder,
    places: placesOf(console),
  };
}

/** From which step the weights of a run are that has not finished. */
function unfinishedNote(
  runFolder: string,
  { trained }: InferenceModel,
  events: readonly RunEvent[],
): string | undefined {
  const { state, started, steps, summary } = foldRun(events);
  if (state === "finished") return undefined;
  const checkpoint = trained.kind === "checkpoint" ? stepOf(trained.folder) : undefined;
  const step = checkpoint ?? summary?.steps ?? steps.at(-1)?.step;
  const all = started === undefined ? "" : ` of ${count(started.plan.steps)}`;
  const name = basename(runFolder);
  const from = step === undefined ? "" : `: these weights are those of step ${count(step)}${all}`;
  return `${name} has not finished${from}. \`spectune run --resume ${name}\` goes on.\n`;
}

/** The step of a checkpoint's folder, `step-50`. */
function stepOf(folder: string): number | undefined {
  const [, step] = /-(\d+)$/.exec(basename(folder)) ?? [];
  return step === undefined ? undefined : Number(step);
}

/** Where models are looked for. */
export function placesOf(console: Console): ModelPlaces {
  return { base: console.cwd, env: console.env, home: homedir() };
}

export function pathOf(text: string | undefined, console: Console): string | undefined {
  return text === undefined ? undefined : resolve(console.cwd, text);
}

/** A value that an option takes as a number within bounds. */
export function numberOption(
  args: Arguments,
  option: string,
  bounds: { readonly min: number; readonly max: number; readonly whole: boolean },
): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  const value = Number(text);
  const fits = text.trim() !== "" && value >= bounds.min && value <= bounds.max;
  if (fits && (!bounds.whole || Number.isSafeInteger(value))) return value;
  throw wrong(
    args,
    `--${option} takes a ${bounds.whole ? "whole " : ""}number from ${bounds.min} to ${bounds.max}, not ${text}.`,
  );
}

/** The experiment that says nothing but the model. */
function defaults(
  args: Arguments,
  reference: { readonly id: string; readonly revision?: string },
  task: Task,
  overrides: readonly string[],
  console: Console,
): Experiment {
  // JSON is YAML; the data are those that the command names.
  const text = JSON.stringify({
    version: 1,
    model: reference,
    task,
    data: { train: "none.txt" },
    method: "lora",
  });
  const { experiment, findings } = readExperiment({
    file: join(console.cwd, "command line"),
    text,
    catalog: catalogFields,
    overrides,
  });
  const errors = errorsOf(findings);
  for (const finding of errors) console.err(findingText(finding));
  if (!experiment || errors.length > 0) throw wrong(args, "its options do not make an experiment.");
  return withAbsolutePaths(experiment, console.cwd, isFolder);
}

function taskNamed(args: Arguments): Task | undefined {
  const text = args.text("task");
  if (text === undefined || text === "causal-lm" || text === "sequence-classification") return text;
  throw wrong(args, `--task is causal-lm or sequence-classification, not ${text}.`);
}
