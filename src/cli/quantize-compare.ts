/** @file `spectune quantize --compare`: the quantizers that are named, the table, the JSON file and the report. */
import { createHash } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import type { Candidate, Comparison } from "../engine/quantize/compare-quantizers.ts";
import { compareQuantizers } from "../engine/quantize/compare-quantizers.ts";
import { reportPage } from "../engine/report/page.ts";
import { quantizeBlocks } from "../engine/report/quantize-blocks.ts";
import { makeFolder, writeFileAtomic } from "../engine/runs/atomic.ts";
import { findSpectuneFolder } from "../engine/runs/run-folder.ts";
import { analysisVersion } from "../shared/analysis-documents.ts";
import { UserError } from "../shared/errors.ts";
import type { Measured, QuantizeDocument, QuantizeRow } from "../shared/quantize-records.ts";
import { isRecord } from "../shared/wire.ts";
import type { Arguments, Console } from "./define.ts";
import { bytes, duration, figure, table } from "./format.ts";
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
  const progress = loadingProgress(console, "comparing");
  let told = "";
  const { rows, matrices } = await compareQuantizers(
    { ...comparison, folder },
    {
      now: () => performance.now(),
      memory: peakMemory(),
      onProgress(text, share) {
        if (console.interactive) progress.update(share, 1);
        else if (text.split(":")[0] !== told) {
          told = text.split(":")[0] ?? "";
          console.err(`${told}\n`);
        }
      },
    },
  ).finally(progress.close);
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

async function writtenReport(
  args: Arguments,
  console: Console,
  document: QuantizeDocument,
): Promise<string | undefined> {
  const asked = args.text("report");
  if (asked === undefined) return undefined;
  const file = resolve(console.cwd, asked);
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
  const failed = rows.flatMap(({ label, failed: why }) =>
    why === undefined ? [] : [`${label}: ${why}\n`],
  );
  return `${table(head, cells)}${failed.join("")}`;
}

function shown(value: number | undefined): string {
  return value === undefined ? "" : figure(value);
}

function interval(of: Measured | undefined): string {
  return of?.low === undefined || of.high === undefined
    ? ""
    : `${figure(of.low)} to ${figure(of.high)}`;
}
