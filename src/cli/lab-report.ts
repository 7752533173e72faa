/** @file `--report FILE`: the report of an analysis, with the curves of the run that it belongs to. */
import { basename, dirname, join, resolve } from "node:path";
import type { MatrixIntrudersRecord } from "../shared/intruder-records.ts";
import type { MatrixSpectraRecord } from "../shared/spectra-records.ts";
import type { LookResult } from "../engine/lab/look.ts";
import { sideLabel } from "../engine/lab/open-sides.ts";
import type { LoggedPoint } from "../engine/lab/trainer-folder.ts";
import type { Labelled } from "../engine/report/lab-blocks.ts";
import { intruderBlocks, spectraBlocks } from "../engine/report/lab-blocks.ts";
import type { Block } from "../engine/report/page.ts";
import { reportPage } from "../engine/report/page.ts";
import { runBlocks } from "../engine/report/run-blocks.ts";
import { lineChart } from "../engine/report/svg.ts";
import { makeFolder, writeFileAtomic } from "../engine/runs/atomic.ts";
import { loadEvents } from "../engine/runs/events-log.ts";
import { runLayout } from "../engine/runs/run-folder.ts";
import type { Arguments, Console } from "./define.ts";
import { recordedExperiment } from "./read-file.ts";
import { version } from "./version.ts";

export interface Reported {
  readonly intruders?: readonly LookResult<MatrixIntrudersRecord>[];
  readonly spectra?: readonly LookResult<MatrixSpectraRecord>[];
  readonly log: readonly LoggedPoint[];
  readonly runFolder: string | undefined;
}

/** The file that was written; undefined where none was asked for. */
export async function writeReport(
  args: Arguments,
  console: Console,
  { intruders = [], spectra = [], log, runFolder }: Reported,
): Promise<string | undefined> {
  const asked = args.text("report");
  if (asked === undefined) return undefined;
  const file = resolve(console.cwd, asked);
  const run = runFolder === undefined ? undefined : await reportedRun(runFolder, console);
  const facts = { version, seeds: run === undefined ? [] : [run.seed] };
  const [first] = [...intruders, ...spectra];
  const title = `Spectral analysis of ${basename(first?.tuned?.path ?? first?.base.path ?? "a model")}`;
  const blocks: readonly Block[] = [
    {
      kind: "paragraph",
      text: `Base ${first?.base.path ?? ""}${first?.tuned === undefined ? "" : `; tuned ${first.tuned.path}`}.`,
    },
    ...(run === undefined ? [] : runBlocks([run], version)),
    ...logBlocks(log),
    ...intruderBlocks(intruders.map(labelled), facts),
    ...spectraBlocks(spectra.map(labelled), facts),
  ];
  await makeFolder(dirname(file));
  await writeFileAtomic(
    file,
    reportPage(title, blocks, { withoutText: args.flag("without-text") }),
  );
  return file;
}

function labelled<R>({ side, records }: LookResult<R>): Labelled<R> {
  return { label: sideLabel(side), step: side.kind === "none" ? undefined : side.step, records };
}

async function reportedRun(runFolder: string, console: Console) {
  const { value: events } = await loadEvents(runFolder);
  const record = join(runFolder, runLayout.experiment);
  const { experiment } = await recordedExperiment(record, [], console);
  return { label: basename(runFolder), seed: experiment.train.seed, events };
}

/** Losses that a Trainer logged. */
function logBlocks(log: readonly LoggedPoint[]): readonly Block[] {
  const series = ["loss", "eval_loss"].map((name) => ({
    name,
    points: log.flatMap(({ step, values }): readonly (readonly [number, number])[] => {
      const value = values[name];
      return value === undefined ? [] : [[step, value]];
    }),
  }));
  const rows = series.flatMap(({ name, points }) =>
    points.map(([step, value]) => [name, step, value]),
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: "chart",
      caption: `Losses as trainer_state.json has them, n = 1; spectune ${version}.`,
      svg: lineChart({
        x: "step",
        y: "loss",
        series: series.filter(({ points }) => points.length > 0),
      }),
      table: { head: ["name", "step", "loss"], rows },
    },
  ];
}
