/** @file `spectune quantize`: a model in fewer bits, as a folder that every command takes as a base. */
import { resolve } from "node:path";
import type { QuantizedModel } from "../../engine/quantize/quantize-model.ts";
import { quantizeModel } from "../../engine/quantize/quantize-model.ts";
import type { LayoutChoice } from "../../engine/quantize/write-folder.ts";
import { isRecord } from "../../shared/wire.ts";
import { UserError } from "../../shared/errors.ts";
import type { Arguments, Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { bytes, figure, table } from "../format.ts";
import type { ChosenModel } from "../model-options.ts";
import { chosenModel, modelOptions, numberOption, pathOf } from "../model-options.ts";
import { quantizeProgress } from "../quantize-progress.ts";
import { findingText } from "../read-file.ts";
import { versions } from "../version.ts";

const { revision, task, set } = modelOptions;

/** Calibration where nothing is said: enough for second moments of a small model. */
const usual = { samples: 128, length: 512 };

export const quantizeCommand: Command = {
  name: "quantize",
  summary: "Write a model in fewer bits, as a folder that every command takes as a base.",
  usage:
    "MODEL --type NAME --out DIR [--bits N] [--group N] [--calibration FILE] [--layout LAYOUT] [--json]",
  positionals: { min: 1, max: 1 },
  options: {
    type: { type: "string", value: "NAME", doc: "The quantizer, such as gptq, rtn or nf4." },
    out: { type: "string", value: "DIR", doc: "Where the model goes; it must not exist yet." },
    bits: {
      type: "string",
      value: "N",
      doc: "Bits of each weight, for quantizers that take some.",
    },
    group: {
      type: "string",
      value: "N",
      doc: "Weights that share a scale; -1 for a row, 0 for a matrix.",
    },
    calibration: {
      type: "string",
      value: "FILE",
      doc: "Text that the model should stay good at: .jsonl .csv .parquet .txt",
    },
    samples: { type: "string", value: "N", doc: "Windows of text; by default 128." },
    length: { type: "string", value: "N", doc: "Tokens of each window; by default 512." },
    seed: {
      type: "string",
      value: "N",
      doc: "Draws windows and whatever else is random; 0, the default, takes the first ones.",
    },
    layout: {
      type: "string",
      value: "LAYOUT",
      doc: "gptq, which others read, or spectune, which holds everything; by default whichever fits.",
    },
    revision,
    task,
    set: {
      ...set,
      doc: "Override a field, such as quantization.act_order=true or data.columns.text=body.",
    },
    json: jsonOption,
  },
  async run(args, console) {
    const [type, out] = [args.text("type"), args.text("out")];
    if (type === undefined || out === undefined)
      throw new UserError({
        code: "wrong-arguments",
        message: `spectune quantize needs ${type === undefined ? "--type" : "--out"}.`,
        remedy: `Usage: spectune quantize ${quantizeCommand.usage}`,
      });
    const chosen = await chosenModel(args, console, quantizerFields(args, type));
    const progress = quantizeProgress(console, () => performance.now());
    const seed = numberOption(args, "seed", { min: 0, max: 2 ** 31 - 1, whole: true }) ?? 0;
    const calibration = pathOf(args.text("calibration"), console);
    const made = await quantizeModel(
      {
        reference: chosen.model.reference,
        task: chosen.model.task,
        places: chosen.places,
        device: chosen.model.device,
        quantizer: quantizerOf(chosen),
        experiment: chosen.experiment,
        calibration:
          calibration === undefined ? undefined : { file: calibration, ...windowsOf(args, seed) },
        skip: chosen.experiment.quantization?.skip_modules ?? [],
        seed,
        out: resolve(console.cwd, out),
        layout: layoutOf(args),
        versions: versions(),
      },
      { now: () => performance.now(), onProgress: progress.update },
    ).finally(progress.close);
    for (const finding of made.findings) console.err(findingText(finding));
    const folder = resolve(console.cwd, out);
    if (args.flag("json"))
      console.out(`${JSON.stringify({ folder, ...summary(made), layers: made.layers })}\n`);
    else console.out(report(made, folder));
    return 0;
  },
};

/** The experiment's `quantization`, of which the command's options are fields. */
function quantizerFields(args: Arguments, type: string): readonly string[] {
  const fields = ["bits", "group"].flatMap((name) => {
    const value = args.text(name);
    return value === undefined ? [] : [`quantization.${name}=${value}`];
  });
  return [`quantization.type=${type}`, ...fields];
}

function quantizerOf({ experiment: { quantization } }: ChosenModel) {
  if (!quantization || !isRecord(quantization.config))
    throw new UserError({
      code: "wrong-arguments",
      message: "There is no quantizer to work with.",
      remedy: "Say one with --type.",
    });
  return { type: quantization.type, config: quantization.config };
}

function windowsOf(args: Arguments, seed: number) {
  const whole = (name: "samples" | "length", min: number): number =>
    numberOption(args, name, { min, max: 2 ** 20, whole: true }) ?? usual[name];
  return { samples: whole("samples", 1), length: whole("length", 2), seed };
}

function layoutOf(args: Arguments): LayoutChoice {
  const text = args.text("layout");
  if (text === undefined) return "auto";
  if (text === "gptq" || text === "spectune") return text;
  throw new UserError({
    code: "wrong-arguments",
    message: `--layout is gptq or spectune, not ${text}.`,
    remedy: "Leave it out for whichever fits.",
  });
}

function summary({ layout, packedBytes, weights }: QuantizedModel) {
  return { layout, packedBytes, bitsPerWeight: (8 * packedBytes) / weights };
}

function report(made: QuantizedModel, folder: string): string {
  const kinds = new Map<string, { count: number; weight: number; output: number | undefined }>();
  for (const { matrices } of made.layers)
    for (const { kind, weightError, outputError } of matrices) {
      const sum = kinds.get(kind) ?? { count: 0, weight: 0, output: 0 };
      kinds.set(kind, {
        count: sum.count + 1,
        weight: sum.weight + weightError,
        output:
          outputError === undefined || sum.output === undefined
            ? undefined
            : sum.output + outputError,
      });
    }
  const rows = [...kinds].map(([kind, { count, weight, output }]) => [
    kind,
    figure(weight / count),
    output === undefined ? "–" : figure(output / count),
  ]);
  const head = [
    { title: "matrices" },
    { title: "‖W − Ŵ‖/‖W‖", right: true },
    { title: "error of outputs²", right: true },
  ];
  const { layout, packedBytes, bitsPerWeight } = summary(made);
  return `${table(head, rows)}\nquantized model  ${folder}  (${layout} layout, ${bitsPerWeight.toFixed(3)} bits a weight, ${bytes(packedBytes)})\n`;
}
