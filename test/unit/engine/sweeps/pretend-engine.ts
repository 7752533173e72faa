/** @file A stand-in for the engine: it makes real run folders, whose numbers follow from the experiment. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../../../src/shared/errors.ts";
import type { Experiment } from "../../../../src/shared/experiment/fields/experiment-fields.ts";
import { serialise } from "../../../../src/shared/experiment/serialise.ts";
import type { EventBody } from "../../../../src/shared/protocol.ts";
import { loadFinalMetrics } from "../../../../src/engine/sweeps/load-run.ts";
import { openEventsLog } from "../../../../src/engine/runs/events-log.ts";
import { runStatus } from "../../../../src/engine/runs/liveness.ts";
import { acquireRun } from "../../../../src/engine/runs/ownership.ts";
import { createRun, runLayout } from "../../../../src/engine/runs/run-folder.ts";
import type { Runner, RunTask } from "../../../../src/engine/sweeps/runner.ts";
import { smallCatalog } from "../../shared/experiment/small-catalog.ts";

/** What a pretended run does beside writing its folder. */
export interface PretendOptions {
  /** Called when the run has its folder; throws where the run shall fail, waits where it shall take time. */
  readonly during?: (task: RunTask, runFolder: string) => Promise<void> | void;
  /** Its `eval.loss`; by default the distance of the learning rate from 0.001, plus a thousandth of the seed. */
  readonly loss?: (experiment: Experiment) => number;
}

export function pretendEngine({ during, loss = distance }: PretendOptions = {}): Runner {
  return {
    async run(task) {
      const { experiment, name, spectuneFolder, resume, onFolder, signal } = task;
      const written = serialise(experiment, smallCatalog);
      const folder =
        resume ??
        (await createRun(spectuneFolder, { name, time: Date.now(), experiment: written }));
      onFolder(folder);
      await during?.(task, folder);
      if (signal.aborted) return { status: "stopped", metrics: {} };
      await writeEvents(folder, [
        {
          type: "eval",
          split: "eval",
          moment: "after",
          step: 2,
          epoch: 1,
          metrics: { loss: loss(experiment) },
          examples: 4,
          seconds: 1,
        },
      ]);
      return { status: "finished", metrics: await loadFinalMetrics(folder, smallCatalog) };
    },
    async finished(folder) {
      const { state } = await runStatus(folder, Date.now());
      return state === "finished"
        ? { status: "finished", metrics: await loadFinalMetrics(folder, smallCatalog) }
        : undefined;
    },
    plan: (experiment) =>
      Promise.resolve({
        tokens: 1000,
        steps: experiment.train.max_steps ?? 10,
        trainableParameters: Number(experiment.method[0]?.config["r"] ?? 1000),
      }),
  };
}

/** A run that refuses to be done. */
export function refuse(code: string): never {
  throw new UserError({ code, message: `refused: ${code}` });
}

/** A finished run in a folder of its own. */
export async function writeRun(
  folder: string,
  experiment: string,
  events: readonly EventBody[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, runLayout.experiment), experiment);
  await writeEvents(folder, events);
}

/** Two steps of ten tokens, the events given, and the end. */
async function writeEvents(folder: string, events: readonly EventBody[]): Promise<void> {
  const ownership = await acquireRun(folder);
  const log = openEventsLog(folder, {
    attempt: ownership.attempt,
    now: () => 1000,
    check: ownership.check,
  });
  const step = {
    epoch: 1,
    loss: 1,
    lr: 1,
    tokens: 10,
    tokensPerSecond: 1,
    seconds: 1,
    memoryBytes: 400,
  };
  const numbers = { trainableParameters: 12, peakMemoryBytes: 500 };
  const summary = { status: "finished", steps: 2, tokensPerSecond: 1, ...numbers } as const;
  const whole: readonly EventBody[] = [
    { type: "step", step: 1, ...step },
    { type: "step", step: 2, ...step },
    ...events,
    { type: "ended", summary },
  ];
  for (const event of whole) log.append(event);
  await log.close();
  await ownership.release("finished");
}

function distance({ train }: Experiment): number {
  return Math.abs(train.learning_rate - 0.001) + train.seed / 1000;
}
