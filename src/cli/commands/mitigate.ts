/** @file `spectune mitigate`: scales intruder dimensions, and measures what that gives and costs. */
import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { requireNewFolder } from "../../engine/exports/new-folder.ts";
import { controlFolder, mitigationFile, unmeasured } from "../../engine/lab/mitigate-adapter.ts";
import type { SideChoice } from "../../engine/lab/open-sides.ts";
import type { MeasuredRow, MitigationRecord } from "../../shared/intruder-records.ts";
import { makeFolder, removeLeftovers, writeFileAtomic } from "../../engine/runs/atomic.ts";
import type { InferenceModel } from "../../engine/session/open-for-inference.ts";
import type { MitigationDocument } from "../../shared/analysis-documents.ts";
import { invariant } from "../../shared/errors.ts";
import type { Arguments, Command, Console } from "../define.ts";
import { percent, table } from "../format.ts";
import type { ChosenSides } from "../lab-options.ts";
import { chosenSides, lookOptions, sideOptions } from "../lab-options.ts";
import { ask } from "../lab.ts";
import { wrong } from "../wrong-arguments.ts";
import { writeReport } from "../lab-report.ts";
import { intruderOptions, thresholdOptions } from "../intruder-options.ts";
import { measureAll, measuredTable } from "../mitigate-measure.ts";
import type { ChosenModel } from "../model-options.ts";
import { chosenModel, modelOf, modelOptions, numberOption, pathOf } from "../model-options.ts";

const { adapter, tuned, run, quantized, question } = sideOptions;
const { matrices, json, report, "split-qkv": splitQkv, "without-text": withoutText } = lookOptions;

export const mitigateCommand: Command = {
  name: "mitigate",
  summary:
    "Scale intruder dimensions, write the result with a neighbour control, and measure both.",
  usage:
    "BASE (--adapter DIR | --tuned DIR) | --run RUN --keep 0.5 [--which top|all] --out DIR [--data FILE] [--text FILE] [--json]",
  positionals: { min: 0, max: 1 },
  options: {
    adapter,
    tuned,
    run: { ...run, doc: "A run of ours: its folder, or a part of its name." },
    quantized,
    question,
    ...thresholdOptions,
    keep: {
      type: "string",
      value: "λ",
      doc: "The share of each intruder that stays: 1 changes nothing, 0 takes it out.",
    },
    which: {
      type: "string",
      value: "WORD",
      doc: "top (the strongest intruder of each matrix, the default) or all.",
    },
    compress: {
      type: "string",
      value: "RANK",
      doc: "Compress each update to this rank, with what that loses.",
    },
    out: { type: "string", value: "DIR", doc: "Where the result goes; the control lies in it." },
    data: {
      type: "string",
      value: "FILE",
      doc: "Examples of the task; of a run its test data, else its eval data.",
    },
    text: {
      type: "string",
      value: "FILE",
      doc: "General text for forgetting; of a run its eval.forgetting.text.",
    },
    "no-measure": { type: "boolean", doc: "Write the result without measuring it." },
    task: modelOptions.task,
    set: modelOptions.set,
    matrices,
    "split-qkv": splitQkv,
    report,
    "without-text": withoutText,
    json,
  },
  async run(args, console) {
    const out = pathOf(args.text("out"), console);
    if (out === undefined) throw wrong(args, "give --out: the folder that the result goes to.");
    const keep = numberOption(args, "keep", { min: 0, max: 2, whole: false }) ?? 0.5;
    const which = args.text("which") ?? "top";
    if (which !== "top" && which !== "all")
      throw wrong(args, `--which is top or all, not ${which}.`);
    const compress = numberOption(args, "compress", { min: 1, max: 1e6, whole: true });
    const options = intruderOptions(args);
    if (!(await unmeasured(out))) await requireNewFolder(out);
    const chosen = await chosenSides(args, console);
    if (chosen.sweepFolder !== undefined)
      throw wrong(args, "--run names a sweep: give one of its runs.");
    const [side] = chosen.sides;
    if (side === undefined || side.kind === "none")
      throw wrong(args, "give what was trained: --adapter, --tuned or --run.");
    const measuring = await measurement(args, console, chosen, side);
    // What a killed call was writing is as large as a model.
    await removeLeftovers(dirname(out), "dead", Date.now());
    const result = await ask(
      {
        kind: "mitigate",
        place: chosen.place,
        side,
        intruders: options,
        keep,
        which,
        compress,
        out,
      },
      console,
    );
    invariant(result.kind === "mitigate", "the lab answered another question");
    const { document, found } = result;
    const rows = measuring === undefined ? [] : await measuring(document, out);
    const record = { ...document, complete: true, intruders: found, measured: rows };
    await makeFolder(chosen.place.folder);
    await writeFileAtomic(join(out, mitigationFile), `${JSON.stringify(record)}\n`);
    // Of other weights of the same name, or of another ε, there is a file of its own.
    const asked = JSON.stringify([document.options, document.hashes]);
    const key = createHash("sha256").update(asked).digest("hex").slice(0, 12);
    await writeFileAtomic(
      join(chosen.place.folder, `mitigation-keep-${keep}-${which}-${key}.json`),
      `${JSON.stringify(record)}\n`,
    );
    const report = await writeReport(args, console, chosen);
    if (args.flag("json")) console.out(`${JSON.stringify(record)}\n`);
    else console.out(`${mitigationText(document, rows, out)}report    ${report}\n`);
    return 0;
  },
};

function mitigationText(
  { matrices: records, controls, form }: MitigationDocument,
  rows: readonly MeasuredRow[],
  out: string,
): string {
  const measured =
    rows.length === 0
      ? "not measured: give --data, and --text for forgetting\n"
      : `${measuredTable(rows)}intervals: bootstrap over the same examples, one model (n = 1 seed)\n`;
  return `${mitigationTable(records, controls)}\n${measured}\n${form === "adapter" ? "adapter " : "model   "}  ${out}\ncontrol   ${join(out, controlFolder)}\n`;
}

/** A row for each matrix in which something was scaled. */
function mitigationTable(
  records: readonly MitigationRecord[],
  controls: readonly MitigationRecord[],
): string {
  const touched = records.filter(({ indices }) => indices.length > 0);
  const byName = new Map(controls.map((record) => [record.name, record]));
  const rows = touched.map(({ name, indices, rankBefore, rankAfter, change, compressionLoss }) => [
    name,
    indices.map((index) => index + 1).join(" "),
    (byName.get(name)?.indices ?? []).map((index) => index + 1).join(" "),
    rankBefore === undefined ? "–" : `${rankBefore} → ${rankAfter ?? "–"}`,
    percent(change),
    compressionLoss === undefined ? "" : percent(compressionLoss),
  ]);
  const head = [
    { title: "matrix" },
    { title: "scaled", right: true },
    { title: "control", right: true },
    { title: "rank", right: true },
    { title: "change of ΔW", right: true },
    { title: "lost", right: true },
  ];
  const said = `${touched.length} of ${records.length} matrices have an intruder that was scaled\n`;
  return touched.length === 0 ? said : `${table(head, rows)}${said}`;
}

/** What measures before, after and control; undefined where nothing is there to measure on. */
async function measurement(
  args: Arguments,
  console: Console,
  { base, runFolder }: ChosenSides,
  side: SideChoice,
): Promise<
  ((result: MitigationDocument, out: string) => Promise<readonly MeasuredRow[]>) | undefined
> {
  if (args.flag("no-measure")) return undefined;
  const chosen = await chosenOf(args, console, base, runFolder, side);
  if (chosen === undefined) return undefined;
  const { experiment, places } = chosen;
  const { data } = experiment;
  const evalFile = typeof data.eval === "string" ? data.eval : undefined;
  const own = runFolder === undefined ? undefined : (data.test ?? evalFile);
  const files = {
    data: pathOf(args.text("data"), console) ?? own ?? undefined,
    text:
      pathOf(args.text("text"), console) ??
      (runFolder === undefined ? undefined : experiment.eval.forgetting?.text),
  };
  if (files.data === undefined && files.text === undefined) return undefined;
  return ({ form }, out) => {
    const at = (folder: string): InferenceModel =>
      form === "adapter"
        ? { ...chosen.model, trained: { kind: "adapter", folder } }
        : {
            ...chosen.model,
            reference: { id: folder },
            quantization: null,
            trained: { kind: "none" },
          };
    return measureAll(
      { before: chosen.model, after: at(out), control: at(join(out, controlFolder)) },
      experiment,
      files,
      places,
      console,
    );
  };
}

async function chosenOf(
  args: Arguments,
  console: Console,
  base: string,
  runFolder: string | undefined,
  side: SideChoice,
): Promise<ChosenModel | undefined> {
  if (runFolder !== undefined) return modelOf(runFolder, console, args.texts("set"));
  if (args.text("data") === undefined && args.text("text") === undefined) return undefined;
  const model = side.kind === "model" ? side.id : base;
  const folder = side.kind === "adapter" ? side.folder : undefined;
  const named: Arguments = {
    ...args,
    positionals: [],
    text: (name) =>
      name === "model"
        ? resolve(console.cwd, model)
        : name === "adapter"
          ? folder
          : name === "task"
            ? args.text("task")
            : undefined,
    flag: () => false,
  };
  return chosenModel(named, console, []);
}
