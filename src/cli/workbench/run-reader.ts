/** @file One run, read as it grows: each look reads only what is new of its events. */
import { readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { catalogFields } from "../../engine/catalog.ts";
import { flatten } from "../../engine/compare/flatten.ts";
import { attemptsFolder } from "../../engine/runs/alive-record.ts";
import { eventsFile, readEvents } from "../../engine/runs/events-log.ts";
import { unlessMissing } from "../../engine/runs/file-errors.ts";
import { runStatus } from "../../engine/runs/liveness.ts";
import { runLayout } from "../../engine/runs/run-folder.ts";
import { memoryOfMachine } from "../../engine/session/machine-facts.ts";
import { readExperiment } from "../../shared/experiment/normalise.ts";
import { plainExperiment } from "../../shared/experiment/serialise.ts";
import type { RunHead, RunProduct } from "../../shared/run-head.ts";
import { isLive } from "../../shared/run-state.ts";
import type { RunFold, RunView } from "../../shared/run-view.ts";
import { createRunFold } from "../../shared/run-view.ts";
import type { Json } from "../../shared/schema.ts";
import { present } from "../../shared/present.ts";
import { deathOf } from "./death.ts";
import { lastLines, logOfRun } from "./run-logs.ts";

export interface RunReader {
  /** Looks again; the head where it is another than before. */
  readonly look: (now: number) => Promise<RunHead | undefined>;
  /** As of the last look. */
  readonly head: () => RunHead | undefined;
  readonly view: () => RunView;
}

/** Reads the run in `folder`. */
export function readRun(folder: string): RunReader {
  const fold: RunFold = createRunFold();
  let offset = 0;
  let lastEvent: number | undefined;
  let firstEvent: number | undefined;
  let config: Readonly<Record<string, Json>> | undefined;
  let head: RunHead | undefined;
  let seen = "";

  const readNew = async (): Promise<void> => {
    const result = await readEvents(
      folder,
      (event) => {
        fold.add(event);
        firstEvent ??= event.time;
        lastEvent = event.time;
      },
      offset,
    );
    offset = result.offset;
  };

  const look = async (now: number): Promise<RunHead | undefined> => {
    const stamp = await stampOf(folder);
    const over = head !== undefined && !isLive(head.state) && head.state !== "stale-unknown";
    if (over && stamp === seen) return undefined;
    seen = stamp;
    // The state first: an end that is written meanwhile is then read with the next look.
    const { state, attempt = 0, owner } = await runStatus(folder, now);
    await readNew();
    config ??= await configOf(folder);
    const view = fold.view();
    const last = view.steps[view.steps.length - 1];
    const log = isLive(state) || state === "finished" ? undefined : await logOfRun(folder);
    const death = deathOf({
      state,
      view,
      config,
      lastLines: log === undefined ? [] : await lastLines(log),
      machineBytes: owner?.host === hostname() ? memoryOfMachine() : undefined,
    });
    const id = basename(folder);
    const next: RunHead = {
      folder,
      id,
      name: id.replace(/^\d{8}-\d{6}-/, ""),
      state,
      attempt,
      step: last?.step ?? 0,
      metrics: metricsOf(view),
      config,
      has: await productsOf(folder, view),
      ...present({
        started: view.started?.begun ?? firstEvent,
        lastEvent,
        steps: view.started?.plan.steps,
        secondsLeft: isLive(state) ? view.secondsLeft : undefined,
        progress: isLive(state) ? view.progress : undefined,
        loss: last?.loss,
        device: view.started?.device.chosen,
        host: owner?.host ?? view.started?.host,
        pid: owner?.pid,
        peakMemoryBytes: view.peakMemoryBytes,
        death,
      }),
    };
    if (JSON.stringify(next) === JSON.stringify(head)) return undefined;
    head = next;
    return next;
  };
  return { look, head: () => head, view: fold.view };
}

/** Changes whenever there is something new to read. */
async function stampOf(folder: string): Promise<string> {
  const paths = [eventsFile(folder), attemptsFolder(folder), folder, join(folder, "analysis")];
  const stats = await Promise.all(paths.map((path) => unlessMissing(stat(path))));
  return stats.map((each) => `${each?.size ?? -1}:${each?.mtimeMs ?? 0}`).join(" ");
}

async function configOf(folder: string): Promise<Readonly<Record<string, Json>>> {
  const file = join(folder, runLayout.experiment);
  const text = (await unlessMissing(readFile(file, "utf8"))) ?? "";
  const { experiment } = readExperiment({ file, text, catalog: catalogFields });
  if (experiment === undefined) return {};
  return Object.fromEntries(flatten(plainExperiment(experiment, catalogFields)));
}

/** The latest figures of each split; those before the training only where there are no others. */
function metricsOf({ evaluations }: RunView): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  const ordered = [
    ...evaluations.filter(({ moment }) => moment === "before"),
    ...evaluations.filter(({ moment }) => moment !== "before"),
  ];
  for (const { split, metrics } of ordered)
    for (const [name, value] of Object.entries(metrics)) found[`${split}.${name}`] = value;
  return found;
}

const products: readonly { readonly name: RunProduct; readonly path: string }[] = [
  { name: "adapter", path: runLayout.adapter },
  { name: "merged", path: runLayout.merged },
  { name: "report", path: runLayout.report },
  { name: "analysis", path: runLayout.analysis },
];

async function productsOf(folder: string, view: RunView): Promise<readonly RunProduct[]> {
  const there = await Promise.all(
    products.map(async ({ name, path }) =>
      (await unlessMissing(stat(join(folder, path)))) === undefined ? [] : [name],
    ),
  );
  return [...there.flat(), ...(view.checkpoints.length > 0 ? ["checkpoints" as const] : [])];
}
