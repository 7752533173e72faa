/** @file Writes `report.html` of a run, of a sweep, and of an analysis that belongs to neither. */
import { basename, join } from "node:path";
import type { SweepMember } from "../../shared/analysis-documents.ts";
import { at } from "../../shared/errors.ts";
import { foldRun } from "../../shared/run-view.ts";
import { isRecord } from "../../shared/wire.ts";
import { overRuns } from "../analyze/over-runs.ts";
import { catalogFields } from "../catalog.ts";
import { compareRuns } from "../compare/compare-runs.ts";
import { readResults } from "../metrics/results-file.ts";
import { writeFileAtomic } from "../runs/atomic.ts";
import { unlessMissing } from "../runs/file-errors.ts";
import { loadEvents } from "../runs/events-log.ts";
import { runLayout } from "../runs/run-folder.ts";
import { loadRunFacts } from "../sweeps/load-run.ts";
import { loadRunsOf } from "../sweeps/load-runs.ts";
import type { ReadDocument } from "./report-blocks.ts";
import { documentBlocks, ofKind, readDocuments } from "./report-blocks.ts";
import { kindOfCount } from "../report/intruder-blocks.ts";
import type { Block } from "../report/page.ts";
import { reportPage } from "../report/page.ts";
import type { Completion, ReportedRun } from "../report/run-blocks.ts";
import { runBlocks } from "../report/run-blocks.ts";
import { sweepBlocks, sweepIntruderBlocks } from "../report/sweep-blocks.ts";

export interface ReportOptions {
  readonly version: string;
  /** Leaves out whatever comes of the training data. */
  readonly withoutText: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Where it goes; by default `report.html` in the folder. */
  readonly file?: string | undefined;
}

/** The run's curves, measurements and samples, and everything that was looked at in its weights. */
export async function writeRunReport(runFolder: string, options: ReportOptions): Promise<string> {
  const run = await reportedRun(runFolder, options.now);
  const facts = { version: options.version, seeds: [run.seed] };
  const read = await readDocuments(join(runFolder, runLayout.analysis));
  const blocks = [...runBlocks([run], options.version), ...(await documentBlocks(read, facts))];
  return written(runFolder, basename(runFolder), blocks, options);
}

/** The analyses in a folder that belongs to no run. */
export async function writeAnalysisReport(folder: string, options: ReportOptions): Promise<string> {
  const facts = { version: options.version, seeds: [] };
  const blocks = await documentBlocks(await readDocuments(folder), facts);
  const title = `Analysis of ${basename(folder).replace("--", " and ")}`;
  return written(folder, title, blocks, options);
}

/** Configurations over seeds, and the intruders of their runs: from the sweep's own analyses, else the runs'. */
export async function writeSweepReport(
  sweepFolder: string,
  options: ReportOptions,
): Promise<string> {
  const { value: loaded } = await loadRunsOf([{ sweep: sweepFolder }], catalogFields, options.now);
  const finished = loaded.filter(({ state }) => state === "finished");
  const [first] = finished;
  if (first === undefined)
    return written(
      sweepFolder,
      basename(sweepFolder),
      [{ kind: "paragraph", text: "None of the runs has finished." }],
      options,
    );
  const { report } = first.config;
  const interval = isRecord(report) ? report["interval"] : undefined;
  const comparison = compareRuns(finished, typeof interval === "number" ? interval : 0.95);
  const facts = {
    version: options.version,
    seeds: [...new Set(finished.map(({ seed }) => seed))],
  };
  const runs = new Map<string, ReportedRun>();
  for (const { id, folder, seed } of finished)
    runs.set(id, {
      ...{ label: id, seed, completions: [] },
      view: foldRun((await loadEvents(folder)).value),
    });
  const members = new Map<string, SweepMember>(
    comparison.groups.flatMap(({ label, runs: own }) =>
      own.map(({ folder, seed }) => [
        folder,
        { label, seed, metrics: finished.find((one) => one.folder === folder)?.metrics ?? {} },
      ]),
    ),
  );
  const blocks: Block[] = [...sweepBlocks(comparison, runs, facts)];
  const own = await readDocuments(join(sweepFolder, runLayout.analysis));
  for (const documents of countings(await membersOf(own, members))) {
    const counted = overRuns(
      documents.map(({ member, read }) => ({ ...member, records: read.document.matrices })),
      comparison.confidence,
    );
    const what = kindOfCount(at(documents, 0).read.document);
    blocks.push(...sweepIntruderBlocks(counted, comparison, what, facts));
  }
  return written(sweepFolder, basename(sweepFolder), blocks, options);
}

interface Counted {
  readonly member: SweepMember;
  readonly read: ReturnType<typeof ofKind<"intruders">>[number];
}

/** Intruder documents with the runs that they are of: the sweep's own, and of each run the last. */
async function membersOf(
  own: readonly ReadDocument[],
  members: ReadonlyMap<string, SweepMember>,
): Promise<readonly Counted[]> {
  const inside = (path: string): SweepMember | undefined =>
    [...members].find(([folder]) => path.startsWith(folder))?.[1];
  const counted = own
    .flatMap((each) => ofKind(each, "intruders"))
    .flatMap((read): readonly Counted[] => {
      const member = inside(read.document.tuned?.path ?? "");
      return member ? [{ member, read }] : [];
    });
  if (counted.length > 0) return counted;
  const last: Counted[] = [];
  for (const [folder, member] of members) {
    const documents = await readDocuments(join(folder, runLayout.analysis));
    const read = documents
      .flatMap((each) => ofKind(each, "intruders"))
      .toSorted((a, b) => (a.document.tuned?.step ?? 0) - (b.document.tuned?.step ?? 0))
      .at(-1);
    if (read) last.push({ member, read });
  }
  return last;
}

/** One list for each way of counting that all runs were looked at by. */
function countings(counted: readonly Counted[]): readonly (readonly Counted[])[] {
  const groups = [
    ...Map.groupBy(counted, ({ read }) => JSON.stringify(read.document.options)).values(),
  ];
  const most = Math.max(0, ...groups.map(({ length }) => length));
  return groups.filter(({ length }) => length === most);
}

async function reportedRun(runFolder: string, now: number): Promise<ReportedRun> {
  const { seed } = await loadRunFacts(runFolder, catalogFields, now, undefined);
  const { value: events } = await loadEvents(runFolder);
  const view = foldRun(events);
  const completions = await completionsOf(runFolder, view);
  return { label: basename(runFolder), seed, view, completions };
}

/** Of each measurement that generates, so many examples are shown. */
const mostShown = 5;

async function completionsOf(
  runFolder: string,
  { evaluations }: ReturnType<typeof foldRun>,
): Promise<readonly Completion[]> {
  const shown: Completion[] = [];
  for (const { split, moment, results } of evaluations) {
    const path = results === undefined ? undefined : join(runFolder, results);
    const read = path === undefined ? undefined : await unlessMissing(readResults(path));
    for (const { index, completion } of read?.value.slice(0, mostShown) ?? [])
      if (completion) shown.push({ split, moment, index, ...completion });
  }
  return shown;
}

async function written(
  folder: string,
  title: string,
  blocks: readonly Block[],
  { file = join(folder, runLayout.report), withoutText }: ReportOptions,
): Promise<string> {
  await writeFileAtomic(file, reportPage(title, blocks, { withoutText }));
  return file;
}
