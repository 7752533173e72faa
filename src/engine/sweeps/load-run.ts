/** @file Reads what `compare` needs from a run folder. */
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { CatalogFields } from "../../shared/experiment/fields/catalog-fields.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { readExperiment } from "../../shared/experiment/normalise.ts";
import { plainExperiment } from "../../shared/experiment/serialise.ts";
import type { Evaluation, RunEvent } from "../../shared/protocol.ts";
import { createRunFold } from "../../shared/run-view.ts";
import type { RunView } from "../../shared/run-view.ts";
import { readResults } from "../metrics/results-file.ts";
import { readEvents } from "../runs/events-log.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import { runStatus } from "../runs/liveness.ts";
import { runLayout } from "../runs/run-folder.ts";
import { throwErrors } from "../weights/read-errors.ts";
import { finalEvaluation, finalMetrics } from "../compare/final-metrics.ts";
import type { RunFacts, Share } from "../compare/run-facts.ts";

/** Everything but the tuning effort, which the run itself does not know. */
export async function loadRunFacts(
  runFolder: string,
  catalog: CatalogFields,
  now: number,
  tuningRuns: number | undefined,
): Promise<RunFacts> {
  const experiment = await readRecord(runFolder, catalog);
  const { view, seconds } = await readRun(runFolder);
  const { state } = await runStatus(runFolder, now);
  const test = finalEvaluation(view, "test");
  return {
    id: basename(runFolder),
    folder: runFolder,
    state,
    seed: experiment.train.seed,
    config: plainExperiment(experiment, catalog),
    metrics: finalMetrics(view, experiment.eval.early_stop !== null),
    shares: test === undefined ? {} : sharesOf(test, experiment),
    scores: test === undefined ? {} : await scoresOf(runFolder, test, experiment),
    budget: {
      tokens: view.steps.reduce((sum, { tokens }) => sum + tokens, 0),
      steps: view.steps.at(-1)?.step ?? 0,
      trainableParameters:
        view.summary?.trainableParameters ?? view.started?.plan.trainableParameters,
      tuningRuns,
    },
    cost: { peakMemoryBytes: peakMemory(view), seconds },
  };
}

/** The metrics that a run ended with. */
export async function loadFinalMetrics(
  runFolder: string,
  catalog: CatalogFields,
): Promise<Readonly<Record<string, number>>> {
  const experiment = await readRecord(runFolder, catalog);
  const { view } = await readRun(runFolder);
  return finalMetrics(view, experiment.eval.early_stop !== null);
}

async function readRecord(runFolder: string, catalog: CatalogFields): Promise<Experiment> {
  const file = join(runFolder, runLayout.experiment);
  const text = await unlessMissing(readFile(file, "utf8"));
  if (text === undefined) throw unreadable(file);
  const { experiment, findings } = readExperiment({ file, text, catalog });
  throwErrors(findings);
  if (experiment === undefined) throw unreadable(file);
  return experiment;
}

function unreadable(file: string): UserError {
  return new UserError({
    code: "unreadable-run",
    message: "The run's experiment cannot be read.",
    place: { file },
    remedy: "Give the folder of a run that Spectune has made.",
  });
}

async function readRun(
  runFolder: string,
): Promise<{ readonly view: RunView; readonly seconds: number }> {
  const fold = createRunFold();
  const attempts = new Map<number, { readonly first: number; last: number }>();
  const visit = (event: RunEvent) => {
    fold.add(event);
    const attempt = attempts.get(event.attempt);
    if (attempt === undefined) attempts.set(event.attempt, { first: event.time, last: event.time });
    else attempt.last = event.time;
  };
  await readEvents(runFolder, visit);
  const milliseconds = [...attempts.values()].reduce(
    (sum, { first, last }) => sum + Math.max(0, last - first),
    0,
  );
  return { view: fold.view(), seconds: milliseconds / 1000 };
}

/** The process's own peak where it could still tell it, else the highest that a step saw. */
function peakMemory({ summary, peakMemoryBytes }: RunView): number | undefined {
  const told = summary?.peakMemoryBytes ?? 0;
  const peak = Math.max(told, peakMemoryBytes ?? 0);
  return peak > 0 ? peak : undefined;
}

/** Metrics whose value is the mean of 0 and 1 over examples: tokens of one text are not independent. */
function shareNames({ task }: Experiment): readonly string[] {
  return task === "sequence-classification" ? ["accuracy"] : ["exact_match"];
}

function sharesOf(
  { metrics, examples }: Evaluation,
  experiment: Experiment,
): Readonly<Record<string, Share>> {
  const entries = shareNames(experiment).flatMap((name): readonly (readonly [string, Share])[] => {
    const value = metrics[name];
    if (value === undefined || !(value >= 0 && value <= 1)) return [];
    return [[`test.${name}`, { successes: Math.round(value * examples), trials: examples }]];
  });
  return Object.fromEntries(entries);
}

async function scoresOf(
  runFolder: string,
  { results }: Evaluation,
  experiment: Experiment,
): Promise<RunFacts["scores"]> {
  if (results === undefined) return {};
  const read = await unlessMissing(readResults(join(runFolder, ...results.split("/"))));
  const entries = shareNames(experiment).flatMap(
    (name): readonly (readonly [string, ReadonlyMap<number, number>])[] => {
      const scores = new Map<number, number>();
      for (const { index, scores: own } of read?.value ?? []) {
        const score = own?.[name];
        if (score !== undefined) scores.set(index, score);
      }
      return scores.size === 0 ? [] : [[`test.${name}`, scores]];
    },
  );
  return Object.fromEntries(entries);
}
