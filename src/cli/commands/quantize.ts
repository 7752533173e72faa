/** @file `spectune quantize`: a model in fewer bits, as a folder that every command takes as a base. */
import { resolve } from "node:path";
import type { QuantizedModel, QuantizeJob } from "../../engine/quantize/quantize-model.ts";
import { partsFolder, quantizeModel } from "../../engine/quantize/quantize-model.ts";
import { quantizers } from "../../engine/catalog.ts";
import type { Candidate } from "../../engine/quantize/compare-quantizers.ts";
import type { LayoutChoice } from "../../engine/quantize/choose-layout.ts";
import { layoutChoices } from "../../engine/quantize/choose-layout.ts";
import { isRecord } from "../../shared/wire.ts";
import { UserError } from "../../shared/errors.ts";
import type { Arguments, Command, Console } from "../define.ts";
import { jsonOption } from "../define.ts";
import { bytes, figure, table } from "../format.ts";
import { keepingParts } from "../kept-parts.ts";
import type { ChosenModel } from "../model-options.ts";
import { chosenModel, modelOptions, numberOption, pathOf } from "../model-options.ts";
import {
  candidateFields,
  candidateOf,
  compareAndShow,
  simulatedInputs,
} from "../quantize-compare.ts";
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
    "MODEL (--type NAME --out DIR | --compare LIST [--data FILE] [--report FILE]) [--bits N] [--group N] [--calibration FILE] [--layout LAYOUT] [--json]",
  positionals: { min: 1, max: 1 },
  options: {
    type: { type: "string", value: "NAME", doc: "The quantizer, such as gptq, int4 or nf4." },
    compare: {
      type: "string",
      value: "LIST",
      doc: "Quantizers side by side instead, such as nf4,int4,gptq:3,awq:3:64 with bits and group.",
    },
    data: { type: "string", value: "FILE", doc: "Examples that --compare also measures on." },
    report: {
      type: "string",
      value: "FILE",
      doc: "Writes --compare as an HTML page, with charts.",
    },
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
      doc: "gptq or awq, which others read, or spectune, which holds everything; by default whichever fits.",
    },
    revision,
    task,
    set: {
      ...set,
      doc: "Override a field, such as quantization.act_order=true or data.columns.text=body.",
    },
    json: jsonOption,
  },
  shown: {
    bits: "of each quantized weight, with everything that is stored of it",
    "outputs²": "‖X (W − Ŵ)ᵀ‖² / ‖X Wᵀ‖², mean over the matrices; – without calibration",
    "last layer²": "the same of the last layer's output, with all layers quantized",
    "95 %": "interval of what stands before it",
    peak: "most memory of the process meanwhile",
  },
  async run(args, console) {
    const list = args.text("compare");
    if (list !== undefined) return compared(args, console, list);
    const [type, out] = [args.text("type"), args.text("out")];
    if (type === undefined || out === undefined)
      throw new UserError({
        code: "wrong-arguments",
        message: `spectune quantize needs ${type === undefined ? "--type" : "--out"}.`,
        remedy: `Usage: spectune quantize ${quantizeCommand.usage}`,
      });
    const { type: name, fields } = candidateFields(type);
    const chosen = await bareModel(args, console, [...quantizerFields(args, name), ...fields]);
    const progress = quantizeProgress(console, () => performance.now());
    const folder = resolve(console.cwd, out);
    const made = await keepingParts(console, partsFolder(folder), () =>
      quantizeModel(
        { ...jobOf(args, console, chosen), quantizer: quantizerOf(chosen), out: folder },
        { now: () => performance.now(), onProgress: progress.update },
      ),
    ).finally(progress.close);
    for (const finding of made.findings) console.err(findingText(finding));
    const { type: of, config } = quantizerOf(chosen);
    const notes = simulatedInputs(of, config);
    if (args.flag("json"))
      console.out(`${JSON.stringify({ folder, ...summary(made), notes, layers: made.layers })}\n`);
    else console.out(`${report(made, folder)}${notes.map((line) => `${line}\n`).join("")}`);
    return 0;
  },
};

async function compared(args: Arguments, console: Console, list: string): Promise<0 | 1> {
  const extra = (["type", "out"] as const).find((name) => args.text(name) !== undefined);
  if (extra !== undefined)
    throw new UserError({
      code: "wrong-arguments",
      message: `--compare measures several and keeps none; --${extra} beside it has no meaning.`,
      remedy: "Compare first, then write the one that you choose.",
    });
  const words = list.split(",").map((word) => word.trim());
  const candidates: Candidate[] = [];
  let first: ChosenModel | undefined;
  for (const word of words) {
    const { type, fields } = candidateFields(word);
    const row = quantizers.find(({ name }) => name === type);
    const shared = quantizerFields(args, type, Object.keys(row?.config ?? {}));
    const chosen = await bareModel(args, console, [...shared, ...fields]);
    candidates.push(candidateOf(word, chosen));
    first ??= chosen;
  }
  if (!first) return 0;
  return compareAndShow(args, console, args.positionals[0] ?? "", {
    job: jobOf(args, console, first),
    candidates,
    data: pathOf(args.text("data"), console),
  });
}

/** A model without anything that was trained beside it, which a quantized folder would lack. */
async function bareModel(
  args: Arguments,
  console: Console,
  fields: readonly string[],
): Promise<ChosenModel> {
  const chosen = await chosenModel(args, console, fields);
  if (chosen.model.trained.kind === "none") return chosen;
  const given = args.positionals[0] ?? "";
  throw new UserError({
    code: "trained-beside",
    message: `${given} is a base with what was trained beside it; \`spectune quantize\` takes a model whole.`,
    remedy: `Merge it first: \`spectune merge ${given} --out merged\`, then quantize that.`,
  });
}

/** Everything but the quantizer and the folder. */
function jobOf(
  args: Arguments,
  console: Console,
  { model, places, experiment }: ChosenModel,
): Omit<QuantizeJob, "quantizer" | "out"> {
  const seed = numberOption(args, "seed", { min: 0, max: 2 ** 31 - 1, whole: true }) ?? 0;
  const calibration = pathOf(args.text("calibration"), console);
  return {
    reference: model.reference,
    task: model.task,
    places,
    device: model.device,
    experiment,
    calibration:
      calibration === undefined ? undefined : { file: calibration, ...windowsOf(args, seed) },
    skip: experiment.quantization?.skip_modules ?? [],
    seed,
    layout: layoutOf(args),
    versions: versions(),
  };
}

/** The experiment's `quantization`, of which the command's options are fields. */
function quantizerFields(
  args: Arguments,
  type: string,
  taken: readonly string[] = ["bits", "group"],
): readonly string[] {
  const fields = ["bits", "group"].flatMap((name) => {
    const value = args.text(name);
    return value === undefined || !taken.includes(name) ? [] : [`quantization.${name}=${value}`];
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
  const found = layoutChoices.find((choice) => choice === text);
  if (found !== undefined) return found;
  throw new UserError({
    code: "wrong-arguments",
    message: `--layout is gptq, awq or spectune, not ${text}.`,
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
