/** @file Numbers shown beside what they follow from: values of expressions, parameters, scale, steps, memory. */
import { numberText } from "../../src/shared/experiment/describe.ts";
import { pointCount } from "../../src/shared/experiment/checks/swept-fields.ts";
import type { Located, Path } from "../../src/shared/experiment/tree.ts";
import { entryOf, nodeAt } from "../../src/shared/experiment/tree.ts";
import type { Analysis } from "./analysis.ts";
import { inSteps } from "./checks/durations.ts";
import type { Training } from "./estimate.ts";
import { parametersOf, trainingOf } from "./estimate.ts";
import { valueOf } from "./facts.ts";
import { countText, memoryText, scaleText, shareText } from "./numbers.ts";

export interface Hint {
  /** Behind what it is about. */
  readonly offset: number;
  readonly text: string;
  /** Markdown. */
  readonly doc?: string;
}

/** In the order of the text; what is not known yet is left out. */
export function hints(analysis: Analysis): readonly Hint[] {
  const training = valueOf(trainingOf(analysis));
  const all = [
    ...expressionHints(analysis),
    ...parameterHints(analysis),
    ...scaleHints(analysis),
    ...sweepHints(analysis),
    ...(training === undefined ? [] : trainingHints(analysis, training)),
  ];
  const { length } = analysis.text;
  return all
    .map((hint) => ({ ...hint, offset: Math.min(hint.offset, length) }))
    .toSorted((a, b) => a.offset - b.offset);
}

function expressionHints({ normalised, file }: Analysis): readonly Hint[] {
  return normalised.computed
    .filter(({ at }) => at.source.file === file && at.start < at.end)
    .map(({ at, value }) => ({
      offset: at.end,
      text: `= ${numberText(Number(value.toPrecision(12)))}`,
    }));
}

function parameterHints(analysis: Analysis): readonly Hint[] {
  const parameters = valueOf(parametersOf(analysis));
  // A file that extends another may leave the method to it.
  const offset = behind(analysis, ["method"], "type") ?? behind(analysis, ["extends"]);
  if (parameters === undefined || offset === undefined) return [];
  const { trainable, total } = parameters;
  return [
    {
      offset,
      text: `trainable ${countText(trainable)} (${shareText(trainable / total)})`,
      doc: `${countText(trainable)} of ${countText(total)} parameters train.`,
    },
  ];
}

function scaleHints({ experiment, written }: Analysis): readonly Hint[] {
  return (experiment?.method ?? []).flatMap(({ config }, index) => {
    const { r, alpha, use_rslora: rs } = config;
    if (typeof r !== "number" || typeof alpha !== "number") return [];
    const method = nodeAt(written(), ["method"]);
    const map = method?.kind === "list" ? method.items[index] : method;
    const at = (entryOf(map, "alpha") ?? entryOf(map, "lora_alpha"))?.value.at;
    if (at === undefined || at.start === at.end) return [];
    const scale = alpha / (rs === true ? Math.sqrt(r) : r);
    return [
      {
        offset: at.end,
        text: `${rs === true ? "α/√r" : "α/r"} = ${scaleText(scale)}`,
        doc: "The update is multiplied by this.",
      },
    ];
  });
}

function sweepHints(analysis: Analysis): readonly Hint[] {
  const sweep = analysis.experiment?.sweep;
  const offset = behind(analysis, ["sweep"]);
  if (sweep == null || offset === undefined) return [];
  const points = pointCount(sweep);
  const seeds = sweep.seeds?.length ?? 1;
  const tried = Object.values(sweep.tune?.fields ?? {}).reduce(
    (product, { times, values }) => product * (times ?? values ?? []).length,
    1,
  );
  const tuning = sweep.tune === null ? 0 : points * tried;
  const runs = points * seeds + tuning;
  return [
    {
      offset,
      text: `${countText(points)} ${points === 1 ? "point" : "points"}, ${countText(runs)} ${runs === 1 ? "run" : "runs"}`,
      doc: `${points} points × ${seeds} seeds${tuning === 0 ? "" : `, and ${tuning} runs of tuning`}.`,
    },
  ];
}

function trainingHints(analysis: Analysis, training: Training): readonly Hint[] {
  const { experiment, written } = analysis;
  if (experiment === undefined) return [];
  const { train, eval: measured, checkpoints, data } = experiment;
  const { steps, stepsPerEpoch, microBatchSize, memory, exact } = training;
  const about = exact ? "" : "≈ ";
  const after = (path: Path, text: string | undefined): readonly Hint[] => {
    const at = nodeAt(written(), path)?.at;
    return at === undefined || at.start === at.end || text === undefined
      ? []
      : [{ offset: at.end, text }];
  };
  const accumulation = Math.ceil(train.batch_size / microBatchSize);
  const times = (every: typeof measured.every) =>
    Math.floor(steps / Math.max(1, inSteps(every, stepsPerEpoch, steps)));
  const timesText = (every: typeof measured.every) =>
    every.unit === "end" ? undefined : `${countText(times(every))} ×`;
  const warmup = train.warmup_steps;
  const length = behind(analysis, ["train"]);
  const saysLength = [
    ["train", "num_train_epochs"],
    ["train", "max_steps"],
  ].some((path) => nodeAt(written(), path) !== undefined);
  return [
    ...after(
      ["train", "batch_size"],
      accumulation > 1 ? `= ${accumulation} × ${microBatchSize}` : undefined,
    ),
    ...after(["train", "num_train_epochs"], `= ${about}${countText(steps)} steps`),
    ...after(
      ["train", "max_steps"],
      `= ${about}${scaleText(steps / Math.max(1, stepsPerEpoch))} epochs`,
    ),
    ...after(
      ["train", "warmup_steps"],
      warmup > 0 && warmup < 1 ? `= ${countText(Math.ceil(warmup * steps))} steps` : undefined,
    ),
    ...(data.eval === null ? [] : after(["eval", "every"], timesText(measured.every))),
    ...after(["checkpoints", "every"], timesText(checkpoints.every)),
    ...after(["per_device_train_batch_size"], `effective batch ${train.batch_size}`),
    ...after(["gradient_accumulation_steps"], `effective batch ${train.batch_size}`),
    {
      offset: length ?? behind(analysis, ["model"], "id") ?? behind(analysis, ["extends"]) ?? 0,
      text: `peak memory ≈ ${memoryText(memory.total)}${saysLength ? "" : `, ${about}${countText(steps)} steps`}`,
      doc: Object.entries<number>({ ...memory })
        .filter(([name]) => name !== "total")
        .map(([name, bytes]) => `- ${name}: ${memoryText(bytes)}`)
        .join("\n"),
    },
  ];
}

/** Behind a lone value, behind the value of `inner`, or behind the colon of a map. */
function behind({ written }: Analysis, path: Path, inner?: string): number | undefined {
  const owner: Located = nodeAt(written(), path.slice(0, -1)) ?? written();
  const entry = entryOf(owner, path.at(-1) ?? "");
  if (entry === undefined) return undefined;
  const { value, keyAt } = entry;
  const named = inner === undefined ? undefined : entryOf(value, inner)?.value.at;
  if (named !== undefined && named.start < named.end) return named.end;
  if (value.kind === "map" || value.kind === "list")
    return value.kind === "map" && value.flow ? value.at.end : keyAt.end + 1;
  return value.at.start < value.at.end ? value.at.end : keyAt.end + 1;
}
