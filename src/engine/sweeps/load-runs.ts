/** @file Reads all runs that are to be compared: those given, and those of sweeps, with what tuning took. */
import { basename, dirname, join, resolve } from "node:path";
import type { CatalogFields } from "../../shared/experiment/fields/catalog-fields.ts";
import type { Checked, Finding } from "../../shared/findings.ts";
import { runsFolder } from "../runs/run-folder.ts";
import { listSweeps, loadRecord, spectuneOf, sweepsFolder } from "./sweep-folder.ts";
import type { SweepRecord } from "./sweep-record.ts";
import { loadRunFacts } from "./load-run.ts";
import type { RunFacts } from "../compare/run-facts.ts";

export type Compared = { readonly sweep: string } | { readonly run: string };

/** The runs in the order given, each once; runs of a sweep in the order of execution, without those that tuned. */
export async function loadRunsOf(
  compared: readonly Compared[],
  catalog: CatalogFields,
  now: number,
): Promise<Checked<readonly RunFacts[]>> {
  const findings: Finding[] = [];
  const folders = new Set<string>();
  for (const each of compared) {
    if ("run" in each) folders.add(resolve(each.run));
    else for (const folder of await runsOfSweep(each.sweep, findings)) folders.add(folder);
  }
  const effort = new Map<string, ReadonlyMap<string, number>>();
  const value: RunFacts[] = [];
  for (const folder of folders) {
    const spectuneFolder = dirname(dirname(folder));
    const known = effort.get(spectuneFolder) ?? (await tuningEffort(spectuneFolder));
    effort.set(spectuneFolder, known);
    value.push(await loadRunFacts(folder, catalog, now, known.get(basename(folder))));
  }
  return { value, findings };
}

async function runsOfSweep(sweepFolder: string, findings: Finding[]): Promise<readonly string[]> {
  const { runs } = await loadRecord(sweepFolder);
  const main = runs.filter(({ kind }) => kind === "main");
  const begun = main.flatMap(({ run }) => run ?? []);
  if (begun.length < main.length)
    findings.push({
      code: "runs-missing",
      severity: "warning",
      message: `${main.length - begun.length} of the ${main.length} runs of ${basename(sweepFolder)} have not begun.`,
      remedy: `\`spectune run --resume ${basename(sweepFolder)}\` goes on with it.`,
    });
  const parent = runsFolder(spectuneOf(sweepFolder));
  return begun.map((run) => join(parent, basename(run)));
}

/** How many runs tuned the configuration of each run of a sweep; 0 where the sweep does not tune. */
async function tuningEffort(spectuneFolder: string): Promise<ReadonlyMap<string, number>> {
  const effort = new Map<string, number>();
  for (const name of await listSweeps(spectuneFolder)) {
    const record = await loadRecord(join(sweepsFolder(spectuneFolder), name));
    for (const { kind, run, point } of record.runs)
      if (kind === "main" && run !== undefined)
        effort.set(basename(run), tuningRuns(record, point));
  }
  return effort;
}

function tuningRuns({ runs }: SweepRecord, point: number): number {
  return runs.filter((run) => run.kind === "tune" && run.point === point && run.run !== undefined)
    .length;
}
