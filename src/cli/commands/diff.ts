/** @file `spectune diff`: how much the subspaces of two adapters share. */
import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { adapterFiles } from "../../engine/exports/peft-adapter.ts";
import type { SideChoice } from "../../engine/lab/open-sides.ts";
import { writeAnalysisReport } from "../../engine/lab/write-report.ts";
import { makeFolder } from "../../engine/runs/atomic.ts";
import { findSpectuneFolder, runLayout } from "../../engine/runs/run-folder.ts";
import type { OverlapRecord } from "../../shared/spectra-records.ts";
import { invariant } from "../../shared/errors.ts";
import type { Arguments, Command, Console } from "../define.ts";
import { jsonOption } from "../define.ts";
import { figure, table } from "../format.ts";
import { ask } from "../lab.ts";
import { placesOf } from "../model-options.ts";
import { recordedExperiment } from "../read-file.ts";
import { checkpointSides, resultSide } from "../run-sides.ts";
import { version } from "../version.ts";
import { last } from "../../engine/report/overlap-blocks.ts";

export const diffCommand: Command = {
  name: "diff",
  summary:
    "Compare two adapters, or checkpoints of a run: overlap of their subspaces, principal angles, norms and ranks.",
  usage: "ADAPTER ADAPTER [--base MODEL] [--matrices REGEX] [--json]",
  positionals: { min: 2, max: 2 },
  options: {
    base: {
      type: "string",
      value: "MODEL",
      doc: "The base, where an update hangs on it: DoRA, residual bases.",
    },
    matrices: {
      type: "string",
      value: "REGEX",
      doc: "Matrices whose names have this Python-style regular expression in them.",
    },
    report: {
      type: "string",
      value: "FILE",
      doc: "Where the report goes, a page that opens alone; by default beside the analysis file.",
    },
    json: jsonOption,
  },
  shown: {
    overlap: "of the spaces of the two updates, 1 where one lies in the other",
    "left angles": "principal angles between the left spaces, the least and the greatest",
    cosine: "⟨ΔW₁, ΔW₂⟩ / (‖ΔW₁‖ ‖ΔW₂‖): −1, opposite, to 1, the same but for size",
  },
  async run(args, console) {
    const [first = "", second = ""] = args.positionals;
    const [one, two] = [await trainedAt(first, console), await trainedAt(second, console)];
    const adapters = [one.folder, two.folder] as const;
    const { base: cwd, home } = placesOf(console);
    const spectuneFolder = await findSpectuneFolder(join(console.cwd, "x"));
    const folder = join(spectuneFolder, "analysis", adapters.map(nameOf).join("--"));
    const result = await ask(
      {
        kind: "diff",
        adapters,
        sides: [one, two],
        base: args.text("base") ?? baseOf(one) ?? baseOf(two),
        places: { base: cwd, home, env: { ...console.env } },
        matrices: args.text("matrices"),
        ...{ folder, versions: { spectune: version, node: process.versions.node } },
      },
      console,
    );
    invariant(result.kind === "diff", "the lab answered another question");
    const { records, onlyFirst, onlySecond, file, reused } = result;
    const report = await reportOf(folder, args, console);
    const said = { adapters, matrices: records, onlyFirst, onlySecond, file, report };
    if (args.flag("json")) console.out(`${JSON.stringify(said)}\n`);
    else {
      console.out(overlapTable(records));
      for (const [adapter, names] of [
        [first, onlyFirst],
        [second, onlySecond],
      ] as const)
        if (names.length > 0)
          console.out(
            `\nonly in ${adapter}: ${names.slice(0, 5).join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}\n`,
          );
      console.out(
        `\nanalysis  ${file}${reused === 0 ? "" : ` (${reused} of ${records.length} matrices from an earlier call)`}\nreport    ${report}\n`,
      );
    }
    return 0;
  },
};

type Trained = Exclude<SideChoice, { readonly kind: "none" | "model" }>;

/** An adapter folder; of a run's folder its adapter, and of `checkpoints/step-N` in one that checkpoint. */
async function trainedAt(path: string, console: Console): Promise<Trained> {
  const folder = resolve(console.cwd, path);
  const runFolder = [folder, dirname(dirname(folder))].find((one) =>
    existsSync(join(one, runLayout.experiment)),
  );
  if (runFolder === undefined || existsSync(join(folder, adapterFiles.config)))
    return { kind: "adapter", folder };
  const record = join(runFolder, runLayout.experiment);
  const { experiment } = await recordedExperiment(record, [], console);
  const sides = await checkpointSides(runFolder, experiment);
  const isRun = runFolder === folder;
  const result = isRun ? await resultSide(runFolder, experiment) : undefined;
  // Merged weights have no subspace: the last checkpoint holds what they were made from.
  const checkpoint = sides.findLast((one) => isRun || ("folder" in one && one.folder === folder));
  const found = result === undefined || result.kind === "model" ? checkpoint : result;
  return found === undefined || found.kind === "model" ? { kind: "adapter", folder } : found;
}

/** The base of a run whose checkpoint it is: what it changes cannot be told without. */
function baseOf(side: Trained): string | undefined {
  return side.kind === "checkpoint" ? side.experiment.model.id : undefined;
}

/** What an adapter is called: those of runs are all called `adapter`, and their checkpoints by steps that others have too. */
function nameOf(adapter: string): string {
  const folder = basename(adapter) === "adapter" ? dirname(adapter) : adapter;
  const above = dirname(folder);
  const run = basename(above) === "checkpoints" ? [basename(dirname(above))] : [];
  return [...run, basename(folder)].join("-");
}

/** The report of an analysis folder. */
async function reportOf(folder: string, args: Arguments, console: Console): Promise<string> {
  const place = args.text("report");
  const file = place === undefined ? undefined : resolve(console.cwd, place);
  if (file !== undefined) await makeFolder(dirname(file));
  return writeAnalysisReport(folder, { version, withoutText: false, now: Date.now(), file });
}

/** A row for each matrix that both adapt; overlap is of the spaces of full rank, 1 where one lies in the other. */
function overlapTable(records: readonly OverlapRecord[]): string {
  const rows = records.map(({ name, left, right, leftAngles, norms, ranks, cosine }) => [
    name,
    ranks.join(" / "),
    norms.map(figure).join(" / "),
    last(left).toFixed(3),
    last(right).toFixed(3),
    `${degrees(leftAngles[0])} to ${degrees(leftAngles.at(-1))}`,
    cosine.toFixed(3),
  ]);
  return table(
    [
      { title: "matrix" },
      { title: "ranks", right: true },
      { title: "‖ΔW‖", right: true },
      { title: "left overlap", right: true },
      { title: "right overlap", right: true },
      { title: "left angles", right: true },
      { title: "cosine", right: true },
    ],
    rows,
  );
}

function degrees(angle: number | undefined): string {
  return angle === undefined ? "–" : `${((180 / Math.PI) * angle).toFixed(0)}°`;
}
