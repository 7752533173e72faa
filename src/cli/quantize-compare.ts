/** @file `spectune quantize --compare`: the quantizers that are named, the table, the JSON file and the report. */
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import { quantizers } from "../engine/catalog.ts";
import type { Candidate, Comparison } from "../engine/quantize/compare-quantizers.ts";
import { compareQuantizers } from "../engine/quantize/compare-quantizers.ts";
import { reportPage } from "../engine/report/page.ts";
import { quantizeBlocks } from "../engine/report/quantize-blocks.ts";
import { makeFolder, requireWritable, writeFileAtomic } from "../engine/runs/atomic.ts";
import { findSpectuneFolder } from "../engine/runs/run-folder.ts";
import { analysisVersion } from "../shared/analysis-documents.ts";
import { UserError } from "../shared/errors.ts";
import type { Measured, QuantizeDocument, QuantizeRow } from "../shared/quantize-records.ts";
import { isRecord } from "../shared/wire.ts";
import type { Arguments, Console } from "./define.ts";
import { bytes, duration, figure, table } from "./format.ts";
import { keepingNothing } from "./kept-parts.ts";
import { loadingProgress } from "./loading-progress.ts";
import type { ChosenModel } from "./model-options.ts";
import { peakMemory } from "./peak-memory.ts";
import { version, versions } from "./version.ts";

/** A quantizer by name, with bits and group where it takes some: `gptq`, `gptq:3`, `awq:3:64`, or `int3` for `rtn:3`. */
export function candidateFields(word: string): {
  readonly type: string;
  readonly fields: readonly string[];
} {
  const [name = "", bits, group] = word.split(":");
  const [, whole] = /^int([2-8])$/.exec(name) ?? [];
  const type = whole === undefined ? name : "rtn";
  const given = { bits: bits ?? whole, group };
  return {
    type,
    fields: Object.entries(given).flatMap(([field, value]) =>
      value === undefined ? [] : [`quantization.${field}=${value}`],
    ),
  };
}

export function candidateOf(
  label: string,
  { experiment: { quantization } }: ChosenModel,
): Candidate {
  if (!quantization || !isRecord(quantization.config))
    throw new UserError({
      code: "wrong-arguments",
      message: `${label} is no quantizer.`,
      remedy: "`spectune methods` lists those that there are.",
    });
  return { label, type: quantization.type, config: quantization.config };
}

/** Compares, writes the document below `.spectune/analysis`, and shows the table or the JSON; 1 where not one could be made. */
export async function compareAndShow(
  args: Arguments,
  console: Console,
  model: string,
  comparison: Omit<Comparison, "folder">,
): Promise<0 | 1> {
  const { calibration, seed, skip, layout } = comparison.job;
  const options = { calibration, seed, skip, layout, data: comparison.data };
  const spectune = await findSpectuneFolder(join(console.cwd, "x"));
  const name = basename(model).replaceAll(/[^\p{L}\p{N}._-]+/gu, "-");
  const folder = join(spectune, "analysis", name);
  // What cannot be written is told before the work.
  for (const path of [join(folder, "quantize.json"), ...reportFile(args, console)])
    await requireWritable(path);
  const onProgress = compareProgress(console);
  const watch = {
    now: () => performance.now(),
    memory: peakMemory(),
    onProgress: onProgress.update,
  };
  const { rows, matrices } = await keepingNothing(console, folder, () =>
    compareQuantizers({ ...comparison, folder }, watch),
  ).finally(onProgress.close);
  const identity = {
    options,
    model,
    of: rows.map(({ label, type, config }) => ({ label, type, config })),
  };
  const key = createHash("sha256").update(JSON.stringify(identity)).digest("hex").slice(0, 12);
  const document: QuantizeDocument = {
    version: analysisVersion,
    kind: "quantize",
    versions: versions(),
    time: new Date().toISOString(),
    model: { kind: "model", path: model },
    options,
    rows,
    matrices,
  };
  const file = join(folder, `quantize-${key}.json`);
  await makeFolder(folder);
  await writeFileAtomic(file, `${JSON.stringify(document)}\n`);
  const report = await writtenReport(args, console, document);
  if (args.flag("json")) console.out(`${JSON.stringify({ file, report, rows, matrices })}\n`);
  else
    console.out(
      `${comparisonTable(rows)}\nfigures  ${file}\n${report === undefined ? "" : `report   ${report}\n`}`,
    );
  return rows.some(({ type, failed }) => type !== "float" && failed === undefined) ? 0 : 1;
}

/** On a terminal how much is done and how long the rest takes if it goes on as it did, elsewhere what is begun. */
function compareProgress(console: Console) {
  const progress = loadingProgress(console, "comparing");
  const began = performance.now();
  let told = "";
  return {
    close: progress.close,
    update: (text: string, share: number): void => {
      const [label = ""] = text.split(":  ");
      const seconds = ((performance.now() - began) / 1000 / share) * (1 - share);
      if (console.interactive)
        progress.update(share, 1, share > 0.1 ? `about ${duration(seconds)} left` : undefined);
      else if (label !== told) console.err(`${label}\n`);
      told = label;
    },
  };
}

/** The report's file, where one is asked for. */
function reportFile(args: Arguments, console: Console): readonly string[] {
  const asked = args.text("report");
  return asked === undefined ? [] : [resolve(console.cwd, asked)];
}

async function writtenReport(
  args: Arguments,
  console: Console,
  document: QuantizeDocument,
): Promise<string | undefined> {
  const [file] = reportFile(args, console);
  if (file === undefined) return undefined;
  const title = `Quantizers of ${basename(document.model.path)}`;
  await makeFolder(dirname(file));
  await writeFileAtomic(
    file,
    reportPage(title, quantizeBlocks(document, version), { withoutText: false }),
  );
  return file;
}

export function comparisonTable(rows: readonly QuantizeRow[]): string {
  const tasks = [...new Set(rows.flatMap(({ task = {} }) => Object.keys(task)))];
  const head = [
    { title: "quantizer" },
    ...["bits", "size", "‖ΔW‖/‖W‖", "outputs²", "last layer²", "perplexity", "95 %"].map(
      (title) => ({ title, right: true }),
    ),
    ...tasks.flatMap((title) => [
      { title, right: true },
      { title: "95 %", right: true },
    ]),
    { title: "time", right: true },
    { title: "peak", right: true },
  ];
  const cells = rows.map((row) => [
    row.label,
    row.bitsPerWeight?.toFixed(3) ?? "",
    row.bytes === undefined ? "" : bytes(row.bytes),
    shown(row.weightError),
    shown(row.outputError),
    shown(row.finalError),
    shown(row.perplexity?.value),
    interval(row.perplexity),
    ...tasks.flatMap((name) => [shown(row.task?.[name]?.value), interval(row.task?.[name])]),
    row.seconds === undefined ? "" : duration(row.seconds),
    row.peakBytes === undefined ? "" : bytes(row.peakBytes),
  ]);
  const rounded = [...new Set(rows.flatMap(({ type, config }) => simulatedInputs(type, config)))];
  const failed = rows.flatMap(({ label, failed: why }) =>
    why === undefined ? [] : [`${label}: ${why}\n`],
  );
  return `${table(head, cells)}${failed.join("")}${rounded.map((line) => `${line}\n`).join("")}`;
}

/** What a quantizer of inputs too is measured by; nothing for those that leave inputs as they are. */
export function simulatedInputs(type: string, config: unknown): readonly string[] {
  const row = quantizers.find(({ name }) => name === type);
  const inputs = row?.bind(config).inputs;
  if (!row || !inputs) return [];
  const how = inputs.type === "float8" ? "8-bit floats" : `${inputs.bits} bits`;
  return [
    `${row.title} rounds inputs to ${how}: simulated where the folder is measured or generates, no speed is claimed.`,
  ];
}

function shown(value: number | undefined): string {
  return value === undefined ? "" : figure(value);
}

function interval(of: Measured | undefined): string {
  return of?.low === undefined || of.high === undefined
    ? ""
    : `${figure(of.low)} to ${figure(of.high)}`;
}
