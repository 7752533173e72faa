/** @file Runs through the engine's own entry, stopped after a step, and the comparison of what two runs leave. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { loadEvents } from "../../src/engine/runs/events-log.ts";
import { runExperiment } from "../../src/engine/session/run-experiment.ts";
import type { RunOptions } from "../../src/engine/session/run-experiment.ts";
import { readExperimentFile } from "../../src/cli/read-file.ts";
import { versions } from "../../src/cli/version.ts";
import type { EventBody, RunResult } from "../../src/shared/protocol.ts";
import { foldRun } from "../../src/shared/run-view.ts";

/** Runs or resumes `a.peft.yaml` of a workspace; asks it to stop when it tells of step `stopAfter`, 0 being its start. */
export async function runWorkspace(
  folder: string,
  options: {
    readonly resume?: string;
    readonly stopAfter?: number;
    readonly onEvent?: (event: EventBody) => void;
  } = {},
): Promise<RunResult> {
  const { resume, stopAfter, onEvent } = options;
  const file = resume === undefined ? "a.peft.yaml" : join(resume, "experiment.yaml");
  const read = await readExperimentFile(file, [], folder);
  assert(read.experiment, JSON.stringify(read.findings));
  const place: RunOptions["place"] =
    resume === undefined ? { spectuneFolder: join(folder, ".spectune") } : { resume };
  const abort = new AbortController();
  if (stopAfter === 0) abort.abort();
  return await runExperiment({
    experiment: read.experiment,
    folder: read.folder,
    name: "a",
    place,
    versions: versions(),
    signal: abort.signal,
    onFolder: () => undefined,
    onEvent(event) {
      onEvent?.(event);
      if (event.type === "step" && event.step === stopAfter) abort.abort();
    },
  });
}

/** Every file below the folders that a run ends with, by name. */
export function contentsOf(run: string): Readonly<Record<string, Buffer>> {
  const files = ["checkpoints", "adapter", "merged", "results"]
    .filter((name) => existsSync(join(run, name)))
    .flatMap((name) =>
      readdirSync(join(run, name), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    );
  return Object.fromEntries(
    files.toSorted().map((file) => [file.slice(run.length), readFileSync(file)]),
  );
}

/** What the highest attempt says of each step, times aside. */
async function stepsOf(run: string) {
  const { value, findings } = await loadEvents(run);
  assert.deepEqual(findings, []);
  return foldRun(value).steps.map(({ step, loss, lr, gradNorm }) => [step, loss, lr, gradNorm]);
}

/** The same files with the same bytes, and the same values at the same steps. */
export async function assertSameEnd(run: string, alone: string): Promise<void> {
  const [left, right] = [contentsOf(run), contentsOf(alone)];
  assert.deepEqual(Object.keys(left), Object.keys(right));
  assert.deepEqual(left, right);
  assert.deepEqual(await stepsOf(run), await stepsOf(alone));
}
