/** @file `spectune run`: trains what an experiment file says, or goes on with a run. */
import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { loadEvents } from "../../engine/runs/events-log.ts";
import { UserError } from "../../shared/errors.ts";
import { foldRun } from "../../shared/run-view.ts";
import type { RunResult } from "../../shared/protocol.ts";
import { findRun, findSpectuneFolder, runLayout } from "../../engine/runs/run-folder.ts";
import { runExperiment } from "../../engine/session/run-experiment.ts";
import type { RunOptions } from "../../engine/session/run-experiment.ts";
import type { Command, Console } from "../define.ts";
import { jsonOption } from "../define.ts";
import { bytes, count, figure } from "../format.ts";
import { createProgress } from "../progress.ts";
import { withFieldPlaces } from "../field-places.ts";
import { recordedExperiment, usableExperiment } from "../read-file.ts";
import { runSweepShown, sweepOf } from "../run-sweep.ts";
import { withStopSignal } from "../stop-signal.ts";
import { versions } from "../version.ts";

export const runCommand: Command = {
  name: "run",
  summary: "Train what an experiment file says; Ctrl-C finishes the step, saves and stops.",
  usage: "FILE [--set key=value]… | --resume RUN",
  positionals: { min: 0, max: 1 },
  options: {
    set: {
      type: "string",
      multiple: true,
      value: "KEY=VALUE",
      doc: "Override a field, such as train.learning_rate=1e-3.",
    },
    resume: {
      type: "string",
      value: "RUN",
      doc: "Go on with a run: its folder, or a part of its name.",
    },
    json: { ...jsonOption, doc: "End with one line of JSON on standard output." },
  },
  async run(args, console) {
    const sweep = await sweepOf(args, console);
    if (sweep !== undefined) return await runSweepShown(sweep, args, console);
    const resume = args.text("resume");
    const [file] = args.positionals;
    const beside = [...args.positionals, ...args.texts("set")];
    const target =
      resume === undefined
        ? await newRun(file, args.texts("set"), console)
        : await resumed(resume, beside, console);
    const result = target.finished ?? (await runShown(target, console));
    if (args.flag("json")) console.out(`${JSON.stringify(resultLine(result))}\n`);
    else console.out(summaryText(result));
    return result.status === "failed" ? 1 : 0;
  },
};

interface Target extends Pick<RunOptions, "experiment" | "folder" | "name" | "place"> {
  /** The experiment's file, and what overrides it. */
  readonly file: string;
  readonly overrides: readonly string[];
  /** The result of a run that has finished already. */
  readonly finished?: RunResult | undefined;
}

async function newRun(
  file: string | undefined,
  overrides: readonly string[],
  console: Console,
): Promise<Target> {
  if (file === undefined)
    throw new UserError({
      code: "wrong-arguments",
      message: "spectune run needs an experiment file.",
      remedy: "Usage: spectune run FILE, or spectune run --resume RUN",
    });
  const { experiment, folder } = await usableExperiment(file, overrides, console);
  return {
    experiment,
    folder,
    file: resolve(console.cwd, file),
    overrides,
    name: basename(file).replace(/(\.peft)?\.ya?ml$/, ""),
    place: { spectuneFolder: await findSpectuneFolder(resolve(console.cwd, file)) },
  };
}

async function resumed(
  reference: string,
  beside: readonly string[],
  console: Console,
): Promise<Target> {
  const [extra] = beside;
  if (extra !== undefined)
    throw new UserError({
      code: "wrong-arguments",
      message: `--resume goes on with the run's own experiment; ${extra} beside it has no meaning.`,
      remedy: "Leave it out; a changed experiment is a new run.",
    });
  const runFolder = await findRun(
    reference,
    await findSpectuneFolder(join(console.cwd, "x")),
    console.cwd,
  );
  const record = join(runFolder, runLayout.experiment);
  await readFile(record);
  const { experiment, folder } = await recordedExperiment(record, [], console);
  const place = { resume: runFolder };
  const name = basename(runFolder);
  const finished = await finishedResult(runFolder);
  if (finished) console.err(`${name} has finished; nothing is left to do.\n`);
  return { experiment, folder, file: record, overrides: [], name, place, finished };
}

/** What a run that has finished said at its end: its test data are not read again. */
async function finishedResult(runFolder: string): Promise<RunResult | undefined> {
  const { state, summary } = foldRun((await loadEvents(runFolder)).value);
  return state === "finished" && summary
    ? { ...summary, status: state, runDir: runFolder }
    : undefined;
}

/** Runs with a progress display; the first interrupt stops after the step, the second at once. */
async function runShown(
  { file, overrides, ...target }: Target,
  console: Console,
): Promise<RunResult> {
  const progress = createProgress(console);
  try {
    return await withStopSignal(console, (signal) =>
      withFieldPlaces(file, overrides, (placed) =>
        runExperiment({
          ...target,
          versions: versions(),
          signal,
          onFolder: (folder) => {
            console.err(`run folder ${folder}\n`);
          },
          onEvent: (event) => {
            progress.event(placed(event));
          },
        }),
      ),
    );
  } finally {
    progress.close();
  }
}

/** The fields in the order that the documentation gives them, `null` where there is nothing to tell. */
function resultLine(result: RunResult): Readonly<Record<string, unknown>> {
  const {
    status,
    runDir,
    steps,
    trainLoss = null,
    evalBefore,
    evalAfter,
    trainableParameters,
    peakMemoryBytes,
    tokensPerSecond,
  } = result;
  return {
    status,
    runDir,
    steps,
    trainLoss,
    evalBefore: scoresOf(evalBefore),
    evalAfter: scoresOf(evalAfter),
    trainableParameters,
    peakMemoryBytes,
    tokensPerSecond,
  };
}

function scoresOf(scores: RunResult["evalBefore"]): Readonly<Record<string, unknown>> | null {
  if (scores === undefined) return null;
  const { loss, perplexity = null, score = null } = scores;
  return { loss, perplexity, score };
}

function summaryText(result: RunResult): string {
  const {
    status,
    steps,
    trainLoss,
    evalBefore,
    evalAfter,
    peakMemoryBytes,
    tokensPerSecond,
    runDir,
  } = result;
  const change = (name: "loss" | "perplexity" | "score"): readonly string[] => {
    const [before, after] = [evalBefore?.[name], evalAfter?.[name]];
    return after === undefined
      ? []
      : [
          `${name.padEnd(12)} ${before === undefined ? "" : `${figure(before)} → `}${figure(after)}`,
        ];
  };
  return [
    `${status} after ${count(steps)} step${steps === 1 ? "" : "s"}`,
    ...(trainLoss === undefined ? [] : [`train loss   ${figure(trainLoss)}`]),
    ...change("loss"),
    ...change("perplexity"),
    ...change("score"),
    `peak memory  ${bytes(peakMemoryBytes)}`,
    `speed        ${count(Math.round(tokensPerSecond))} tokens/s`,
    `run folder   ${runDir}`,
    ...(status === "stopped" ? [`go on with   spectune run --resume ${basename(runDir)}`] : []),
    "",
  ].join("\n");
}
