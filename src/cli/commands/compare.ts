/** @file `spectune compare`: runs side by side. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { catalogFields } from "../../engine/catalog.ts";
import { compareRuns } from "../../engine/compare/compare-runs.ts";
import { loadRunsOf } from "../../engine/sweeps/load-runs.ts";
import { forgettingName } from "../../engine/compare/final-metrics.ts";
import { findRun, findSpectuneFolder, runLayout } from "../../engine/runs/run-folder.ts";
import { findSweep } from "../../engine/sweeps/sweep-folder.ts";
import type { ComparedDifference, ComparedGroup, Comparison } from "../../shared/comparison.ts";
import { UserError } from "../../shared/errors.ts";
import { inline } from "../../shared/experiment/describe.ts";
import type { Json } from "../../shared/schema.ts";
import { isRecord } from "../../shared/wire.ts";
import type { Command, Console } from "../define.ts";
import { jsonOption } from "../define.ts";
import { bytes, count, duration, figure, table } from "../format.ts";
import { findingText } from "../read-file.ts";

export const compareCommand: Command = {
  name: "compare",
  summary: "Put runs side by side: metrics with intervals, what differs, and what it took.",
  usage: "RUN… | SWEEP… [--json]",
  positionals: { min: 1, max: 1000 },
  options: { json: jsonOption },
  async run(args, console) {
    const spectuneFolder = await findSpectuneFolder(join(console.cwd, "x"));
    const folders = [];
    for (const reference of args.positionals)
      folders.push(await found(reference, spectuneFolder, console));
    const { value: runs, findings } = await loadRunsOf(folders, catalogFields, Date.now());
    const [first] = runs;
    if (first === undefined)
      throw new UserError({
        code: "nothing-to-compare",
        message: "None of the sweep's runs has begun.",
        remedy: "Run it first.",
      });
    const comparison = compareRuns(runs, confidenceOf(first.config));
    const whole = { ...comparison, findings: [...findings, ...comparison.findings] };
    if (args.flag("json")) console.out(`${JSON.stringify(whole)}\n`);
    else console.out(text(whole));
    return 0;
  },
};

/** A sweep or a run, by path or by name. */
async function found(
  reference: string,
  spectuneFolder: string,
  { cwd }: Console,
): Promise<{ readonly sweep: string } | { readonly run: string }> {
  const path = resolve(cwd, reference);
  if (existsSync(join(path, runLayout.experiment))) return { run: path };
  const sweep = await findSweep(reference, spectuneFolder, cwd);
  return sweep === undefined ? { run: await findRun(reference, spectuneFolder, cwd) } : { sweep };
}

/** `report.interval` of the first run. */
function confidenceOf({ report }: Readonly<Record<string, Json>>): number {
  const interval = isRecord(report) ? report["interval"] : undefined;
  return typeof interval === "number" ? interval : 0.95;
}

function text(comparison: Comparison): string {
  const { groups, config, findings } = comparison;
  const names = shownMetrics(groups);
  return [
    mainTable(comparison, names),
    ...(groups.length > 1 ? [differenceTable(comparison, names)] : []),
    ...(config.length > 0 ? [configTable(comparison)] : []),
    ...findings.map(findingText),
  ].join("\n");
}

/** The test data's where there are some: they are what is reported; `--json` has all. */
function shownMetrics(groups: readonly ComparedGroup[]): readonly string[] {
  const names = [...new Set(groups.flatMap(({ metrics }) => Object.keys(metrics)))];
  const test = names.filter((name) => name.startsWith("test."));
  const other = names.filter((name) => name.startsWith("eval."));
  return [...(test.length > 0 ? test : other), ...names.filter((name) => name === forgettingName)];
}

function mainTable({ groups }: Comparison, names: readonly string[]): string {
  const tuned = groups.some(({ tuningRuns = 0 }) => tuningRuns > 0);
  const number = (value: number | undefined, show: (value: number) => string): string =>
    value === undefined ? "–" : show(value);
  const rounded = (value: number): string => count(Math.round(value));
  return table(
    [
      { title: "" },
      { title: "runs", right: true },
      ...names.map((title) => ({ title, right: true })),
      { title: "trainable", right: true },
      { title: "tokens", right: true },
      { title: "steps", right: true },
      ...(tuned ? [{ title: "tuning runs", right: true }] : []),
      { title: "peak memory", right: true },
      { title: "time", right: true },
    ],
    groups.map((group) => [
      group.label,
      String(group.runs.length),
      ...names.map((name) => measured(group.metrics[name])),
      number(group.trainableParameters, rounded),
      number(group.tokens, rounded),
      number(group.steps, rounded),
      ...(tuned ? [number(group.tuningRuns, rounded)] : []),
      number(group.peakMemoryBytes, bytes),
      number(group.seconds, duration),
    ]),
  );
}

/** `0.8120 [0.7900, 0.8330]`. */
function measured(
  value: Pick<ComparedDifference, "mean" | "interval"> | undefined,
  show: (value: number) => string = figure,
): string {
  if (value === undefined) return "–";
  const { mean, interval } = value;
  const range = interval === undefined ? "" : ` [${show(interval.low)}, ${show(interval.high)}]`;
  return `${show(mean)}${range}`;
}

function differenceTable({ groups, confidence }: Comparison, names: readonly string[]): string {
  const [reference, ...others] = groups;
  const over = new Set(
    others.flatMap(({ differences }) =>
      Object.values(differences).flatMap(({ interval }) => interval?.over ?? []),
    ),
  );
  const basis = over.size === 0 ? "" : ` (${100 * confidence} % over ${[...over].join(" and ")})`;
  const signed = (value: number): string => (value > 0 ? `+${figure(value)}` : figure(value));
  return table(
    [
      { title: `difference to ${reference?.label ?? ""}${basis}` },
      ...names.map((title) => ({ title, right: true })),
      { title: "seeds", right: true },
    ],
    others.map(({ label, differences }) => [
      label,
      ...names.map((name) => measured(differences[name], signed)),
      String(Math.max(0, ...Object.values(differences).map(({ seeds }) => seeds.length))),
    ]),
  );
}

/** Fields that say different things; one that only some methods have says itself no difference. */
function configTable({ groups, config }: Comparison): string {
  const rows = config
    .map(({ field, values }) => ({
      field,
      shown: values.map((value) => (value === undefined ? undefined : inline(value))),
    }))
    .filter(({ shown }) => new Set(shown.filter((value) => value !== undefined)).size > 1);
  if (rows.length === 0) return "";
  return table(
    [{ title: "field" }, ...groups.map(({ label }) => ({ title: label }))],
    rows.map(({ field, shown }) => [field, ...shown.map((value) => shortened(value ?? ""))]),
  );
}

function shortened(value: string): string {
  return value.length > 40 ? `…${value.slice(-39)}` : value;
}
