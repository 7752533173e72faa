/** @file Options that the lab's commands share, and what they mean: which base, which sides, where files go. */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { findRun, findSpectuneFolder, runLayout } from "../engine/runs/run-folder.ts";
import { heldChoice, plainNf4 } from "../engine/lab/held-base.ts";
import type { LookPlace } from "../engine/lab/look.ts";
import { questions } from "../engine/lab/matrix-set.ts";
import type { SideChoice } from "../engine/lab/open-sides.ts";
import { cacheFolder } from "../engine/lab/svd-cache.ts";
import { findSweep } from "../engine/sweeps/sweep-folder.ts";
import { readTrainerFolder } from "../engine/lab/trainer-folder.ts";
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import type { Choice } from "../shared/schema.ts";
import type { Arguments, Console, Options } from "./define.ts";
import { jsonOption } from "./define.ts";
import { placesOf } from "./model-options.ts";
import { recordedExperiment } from "./read-file.ts";
import { checkpointSides, resultSide, sweepSides } from "./run-sides.ts";
import { version } from "./version.ts";
import { wrong } from "./wrong-arguments.ts";

/** Which matrices, how they are taken, and how it is told. */
export const lookOptions = {
  matrices: {
    type: "string",
    value: "REGEX",
    doc: "Matrices whose names have this Python-style regular expression in them; by default all but tables of tokens and heads.",
  },
  "split-qkv": {
    type: "boolean",
    doc: "Take fused projections apart into queries, keys and values.",
  },
  report: {
    type: "string",
    value: "FILE",
    doc: "Where the report goes, a page that opens alone; by default report.html in the folder of the run, the sweep or the analysis.",
  },
  "without-text": { type: "boolean", doc: "Leave text of the training data out of the report." },
  json: jsonOption,
} as const satisfies Options;

/** What was trained on the base. */
const tunedOptions = {
  adapter: { type: "string", value: "DIR", doc: "An adapter folder of peft." },
  tuned: {
    type: "string",
    value: "DIR",
    doc: "A tuned model: folder, safetensors file or hub id.",
  },
} as const satisfies Options;

export const sideOptions = {
  ...tunedOptions,
  run: {
    type: "string",
    value: "RUN",
    doc: "A run or a sweep of ours: its folder, or a part of its name. Of a sweep every run is looked at.",
  },
  checkpoints: {
    type: "string",
    value: "DIR",
    doc: "An output folder of a Hugging Face Trainer, or a run of ours: every checkpoint in turn.",
  },
  quantized: {
    type: "string",
    value: "nf4",
    doc: "Take the base as NF4 held it in training; a run says it itself.",
  },
  question: {
    type: "string",
    value: "WORD",
    doc: `With a quantized base: ${questions.join(", ")} (default: dequantized-tuned).`,
  },
} as const satisfies Options;

export interface ChosenSides {
  readonly base: string;
  readonly sides: readonly SideChoice[];
  readonly place: LookPlace;
  /** The run whose folder takes the files. */
  readonly runFolder: string | undefined;
  readonly sweepFolder: string | undefined;
}

/** Base and sides of a command; a UserError where they are none, or too many. */
export async function chosenSides(args: Arguments, console: Console): Promise<ChosenSides> {
  const [given] = args.positionals;
  const named = (["adapter", "tuned", "run", "checkpoints"] as const).filter(
    (option) => args.text(option) !== undefined,
  );
  if (named.length > 1) throw wrong(args, `--${named.join(" and --")} say two things: give one.`);
  const [option] = named;
  const value = option === undefined ? undefined : args.text(option);
  if (value === undefined || option === undefined) {
    if (given === undefined)
      throw wrong(args, "give a model: a folder, a safetensors file or a hub id.");
    return chosen(args, console, given, [{ kind: "none" }], undefined);
  }
  const path = resolve(console.cwd, value);
  if (option === "adapter")
    return chosen(
      args,
      console,
      needed(args, given),
      [{ kind: "adapter", folder: path }],
      undefined,
    );
  if (option === "tuned") {
    const id = existsSync(path) ? path : value;
    return chosen(args, console, needed(args, given), [{ kind: "model", id }], undefined);
  }
  const isRunFolder = existsSync(join(path, runLayout.experiment));
  if (option === "checkpoints" && !isRunFolder) {
    const { checkpoints } = await readTrainerFolder(path);
    const sides = checkpoints.map(({ step, folder, kind }): SideChoice =>
      kind === "adapter" ? { kind, folder, step, of: path } : { kind, id: folder, step, of: path },
    );
    return chosen(args, console, needed(args, given), sides, undefined);
  }
  const spectuneFolder = await findSpectuneFolder(join(console.cwd, "x"));
  const sweepFolder =
    option === "run" ? await findSweep(value, spectuneFolder, console.cwd) : undefined;
  if (sweepFolder !== undefined) {
    const { sides, experiment } = await sweepSides(sweepFolder, console);
    const run = { folder: sweepFolder, experiment };
    const all = await chosen(args, console, given ?? experiment.model.id, sides, run);
    return { ...all, runFolder: undefined, sweepFolder };
  }
  const runFolder = await findRun(value, spectuneFolder, console.cwd);
  const { experiment } = await recordedExperiment(
    join(runFolder, runLayout.experiment),
    [],
    console,
  );
  const sides =
    option === "checkpoints"
      ? await checkpointSides(runFolder, experiment)
      : [await resultSide(runFolder, experiment)];
  return chosen(args, console, given ?? experiment.model.id, sides, {
    folder: runFolder,
    experiment,
  });
}

async function chosen(
  args: Arguments,
  console: Console,
  base: string,
  sides: readonly SideChoice[],
  run: { readonly folder: string; readonly experiment: Experiment } | undefined,
): Promise<ChosenSides> {
  const held = heldForm(args, run?.experiment);
  const question = questions.find(
    (word) => word === (args.text("question") ?? "dequantized-tuned"),
  );
  if (question === undefined)
    throw wrong(args, `--question is ${questions.join(", ")}, not ${args.text("question") ?? ""}.`);
  if (args.text("question") !== undefined && held === undefined)
    throw wrong(
      args,
      "--question is asked of a quantized base: give --quantized nf4, or such a run.",
    );
  const folder =
    run === undefined
      ? join(await findSpectuneFolder(join(console.cwd, "x")), "analysis", nameOf(base, sides))
      : join(run.folder, runLayout.analysis);
  return {
    base,
    sides,
    runFolder: run?.folder,
    sweepFolder: undefined,
    place: {
      base: existsSync(resolve(console.cwd, base)) ? resolve(console.cwd, base) : base,
      places: { ...placesOf(console), env: textsOf(console.env) },
      matrices: args.text("matrices"),
      splitsFused: args.flag("split-qkv"),
      held,
      question,
      folder,
      cache: cacheFolder(console.env, homedir()),
      versions: { spectune: version, node: process.versions.node },
    },
  };
}

/** `--full`: a model, or the result of a run of ours. */
export async function fullSide(args: Arguments, console: Console): Promise<SideChoice | undefined> {
  const value = args.text("full");
  if (value === undefined) return undefined;
  const path = resolve(console.cwd, value);
  if (existsSync(path) && !existsSync(join(path, runLayout.experiment)))
    return { kind: "model", id: path };
  const spectuneFolder = await findSpectuneFolder(join(console.cwd, "x"));
  const runFolder = await findRun(value, spectuneFolder, console.cwd);
  const record = join(runFolder, runLayout.experiment);
  const { experiment } = await recordedExperiment(record, [], console);
  return resultSide(runFolder, experiment);
}

/** An environment crosses to a thread as plain data. */
function textsOf(env: Console["env"]): Readonly<Record<string, string | undefined>> {
  return { ...env };
}

function heldForm(args: Arguments, experiment: Experiment | undefined): Choice | undefined {
  const word = args.text("quantized");
  if (word !== undefined && word !== "nf4")
    throw wrong(
      args,
      `--quantized is nf4, not ${word}; a run says its own, and other forms are files of their own: give them as --tuned.`,
    );
  return heldChoice(experiment?.quantization) ?? (word === undefined ? undefined : plainNf4);
}

/** The folder of an analysis that belongs to no run. */
function nameOf(base: string, [side]: readonly SideChoice[]): string {
  const plain = (text: string): string => basename(text).replaceAll(/[^\p{L}\p{N}._-]+/gu, "-");
  if (side === undefined || side.kind === "none") return plain(base);
  const of = side.of ?? (side.kind === "model" ? side.id : side.folder);
  return `${plain(base)}--${plain(of)}`;
}

function needed(args: Arguments, base: string | undefined): string {
  if (base !== undefined) return base;
  throw wrong(args, "give the base first: a folder, a safetensors file or a hub id.");
}
