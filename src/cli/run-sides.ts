/** @file What runs and sweeps of ours made, as sides of an analysis. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { adapterFiles } from "../engine/exports/peft-adapter.ts";
import type { SideChoice } from "../engine/lab/open-sides.ts";
import { checkpointFolder, listCheckpoints } from "../engine/runs/checkpoints.ts";
import { unlessMissing } from "../engine/runs/file-errors.ts";
import { runLayout, runsFolder } from "../engine/runs/run-folder.ts";
import { hasAdapter } from "../engine/session/export-run.ts";
import { loadRecord, spectuneOf } from "../engine/sweeps/sweep-folder.ts";
import { invariant, UserError } from "../shared/errors.ts";
import { inline } from "../shared/experiment/describe.ts";
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import { isRecord, parseJson } from "../shared/wire.ts";
import type { Console } from "./define.ts";
import { recordedExperiment } from "./read-file.ts";

type TrainedSide = Exclude<SideChoice, { readonly kind: "none" }>;

/** Each checkpoint of a run, by its step. */
export async function checkpointSides(
  runFolder: string,
  experiment: Experiment,
): Promise<readonly TrainedSide[]> {
  const steps = await listCheckpoints(runFolder);
  if (steps.length === 0)
    throw new UserError({
      code: "no-checkpoints",
      message: `${runFolder} has no checkpoints.`,
      place: { file: runFolder },
      remedy: "Go on with the run: `spectune run --resume`, or look at its adapter by --run.",
    });
  return steps.map((step) => ({
    kind: "checkpoint",
    folder: checkpointFolder(runFolder, step),
    step,
    of: runFolder,
    experiment,
  }));
}

/** What a run made: its adapter where peft has its form as LoRA or IA³, else its merged model, else its newest checkpoint. */
export async function resultSide(runFolder: string, experiment: Experiment): Promise<TrainedSide> {
  const adapter = join(runFolder, runLayout.adapter);
  if (hasAdapter(experiment.method) && (await isReadAsPeft(adapter)))
    return { kind: "adapter", folder: adapter, of: runFolder };
  const merged = join(runFolder, runLayout.merged);
  if (existsSync(join(merged, "config.json"))) return { kind: "model", id: merged, of: runFolder };
  const last = (await checkpointSides(runFolder, experiment)).at(-1);
  invariant(last, "a run without checkpoints was refused");
  return last;
}

/** Adapters of other types are known by what their run's checkpoints hold. */
async function isReadAsPeft(adapter: string): Promise<boolean> {
  const text = await unlessMissing(readFile(join(adapter, adapterFiles.config), "utf8"));
  const config = text === undefined ? undefined : parseJson(text);
  return isRecord(config) && (config["peft_type"] === "LORA" || config["peft_type"] === "IA3");
}

/**
 * The finished runs of a sweep in the order of execution, those that tuned left out. A {@link UserError} where there are
 * none, and where they have not one base held in one way: counts against different bases are no comparison.
 */
export async function sweepSides(
  sweepFolder: string,
  console: Console,
): Promise<{ readonly sides: readonly TrainedSide[]; readonly experiment: Experiment }> {
  const { runs, points } = await loadRecord(sweepFolder);
  const parent = runsFolder(spectuneOf(sweepFolder));
  const sides: TrainedSide[] = [];
  let first: Experiment | undefined;
  for (const { kind, state, run, point, seed, metrics = {} } of runs) {
    if (kind !== "main" || state !== "finished" || run === undefined) continue;
    const folder = join(parent, basename(run));
    const record = join(folder, runLayout.experiment);
    const { experiment } = await recordedExperiment(record, [], console);
    first ??= experiment;
    if (baseOf(experiment) !== baseOf(first))
      throw new UserError({
        code: "several-bases",
        message: `The runs of ${basename(sweepFolder)} have several bases: ${baseOf(first)} and ${baseOf(experiment)}.`,
        place: { file: record, field: "model" },
        remedy: "Look at the runs one by one: `spectune intruders --run RUN`.",
      });
    const member = { label: points[point]?.label ?? "", seed, metrics };
    sides.push({ ...(await resultSide(folder, experiment)), member });
  }
  if (first === undefined)
    throw new UserError({
      code: "no-finished-runs",
      message: `None of the runs of ${basename(sweepFolder)} has finished.`,
      place: { file: sweepFolder },
      remedy: `\`spectune run --resume ${basename(sweepFolder)}\` goes on with it.`,
    });
  return { sides, experiment: first };
}

/** Model and form of a base, as the experiment's file would say them. */
function baseOf({ model: { id, revision }, quantization }: Experiment): string {
  const held = quantization === null ? "" : ` in ${inline(formOf(quantization))}`;
  return `${id}${revision === null ? "" : `@${revision}`}${held}`;
}

function formOf({ config, ...named }: NonNullable<Experiment["quantization"]>): unknown {
  return { ...named, ...(isRecord(config) && config) };
}
