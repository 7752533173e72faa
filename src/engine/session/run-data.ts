/** @file The data of a run: files read, tokenized and cut into batches for the model. */
import { realpath, stat } from "node:fs/promises";
import { UserError, at } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import type { BatchPlan, MicroBatch } from "../data/batches/batch-plan.ts";
import { planBatches } from "../data/batches/batch-plan.ts";
import { causalBatch, labelledBatch } from "../data/batches/batches.ts";
import { checkDistinctFiles } from "../data/batches/splits.ts";
import type { BuiltExamples } from "../data/examples/build-examples.ts";
import { buildExamples } from "../data/examples/build-examples.ts";
import type { ExampleContext } from "../data/examples/example-settings.ts";
import type { Examples } from "../data/examples/example-store.ts";
import { plainText } from "../data/examples/plain-text.ts";
import type { LabelTarget } from "../data/examples/label-column.ts";
import { readRows } from "../data/rows/read-rows.ts";
import type { Row } from "../data/rows/row.ts";
import type { LoadedTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import type { Model } from "../models/architecture.ts";
import type { CalibrationChoice } from "../methods/start.ts";
import type { ModelBatch } from "../network/batch.ts";
import type { CalibrationBatch } from "../network/calibration.ts";
import { measuringBatches, measuringBatchSize, planTraining } from "../plan/training-plan.ts";
import { causalModelBatch, labelledModelBatch } from "./model-batch.ts";
import { refuseOtherTokenizer } from "./refuse-other-tokenizer.ts";

/** Examples of one split with their batches in file order. */
export interface EvaluationData {
  readonly examples: Examples;
  /** Numbers of the split's examples. */
  readonly subset: Uint32Array;
  readonly batches: readonly MicroBatch[];
  readonly toBatch: (batch: MicroBatch) => ModelBatch;
}

export interface RunData {
  readonly train: BuiltExamples;
  readonly plan: BatchPlan;
  readonly microBatchSize: number;
  readonly eval: EvaluationData | undefined;
  /** What labels are, of labelled data. */
  readonly target: LabelTarget | undefined;
  /** Batches of a step, counted from 1. */
  readonly batchesOf: (step: number) => {
    readonly batches: readonly ModelBatch[];
    readonly tokens: number;
  };
  /** The first training examples in the order of the first epoch, each in a row of its own. */
  readonly calibration: (choice: CalibrationChoice) => readonly CalibrationBatch[];
  /** A file of its own, such as the test data, read when it is asked for. */
  readonly open: (file: string) => Promise<EvaluationData>;
  /** General text, by line, as much as `eval.forgetting` asks for. */
  readonly general: EvaluationData | undefined;
  readonly findings: readonly Finding[];
}

type DataFields = Pick<Experiment, "data" | "task" | "train" | "eval">;

export interface DataContext {
  /** What chat templates see as the present. */
  readonly now: Date;
  /** Labels of a head that the checkpoint brings, where the experiment lists none. */
  readonly headLabels?: readonly string[] | undefined;
  readonly onProgress?: ExampleContext["onProgress"];
}

export async function openRunData(
  experiment: DataFields,
  model: Model,
  tokenizer: LoadedTokenizer,
  { now, headLabels, onProgress }: DataContext,
): Promise<RunData> {
  const {
    data,
    task,
    eval: { forgetting },
  } = experiment;
  refuseOtherTokenizer(model, tokenizer);
  for (const file of [data.test, forgetting?.text])
    if (typeof file === "string") await checkThere(file);
  if (data.max_length > model.sizes.maxLength && data.too_long === "error")
    throw longerThanModel(data.max_length, model);
  const settings = {
    ...data,
    labels: data.labels ?? headLabels ?? null,
    max_length: Math.min(data.max_length, model.sizes.maxLength),
  };
  const askedLength = data.max_length > settings.max_length ? data.max_length : undefined;
  const context = { task, tokenizer, now, askedLength, onProgress };
  const built = await buildExamples(readRows(data.train), settings, {
    ...context,
    file: data.train,
  });
  const { target } = built;
  const {
    split,
    microBatchSize,
    batches: plan,
  } = planTraining(experiment, built.examples, {
    maxLength: settings.max_length,
    longest: built.counts.longest,
  });
  const padId = tokenizer.special.pad?.id ?? tokenizer.special.eos?.id ?? 0;
  const converter =
    (examples: Examples, packing: boolean) =>
    (batch: MicroBatch): ModelBatch =>
      task === "causal-lm"
        ? causalModelBatch(causalBatch(examples, batch, { padId, packing }))
        : labelledModelBatch(
            labelledBatch(examples, batch, { padId }),
            model,
            target?.kind ?? "class",
          );
  const evaluation = (examples: Examples, subset: Uint32Array): EvaluationData => ({
    examples,
    subset,
    batches: measuringBatches(examples, subset, {
      maxLength: settings.max_length,
      batchSize: measuringBatchSize(experiment, microBatchSize),
    }),
    toBatch: converter(examples, false),
  });
  const open = async (file: string): Promise<EvaluationData> => {
    const { examples } = await buildExamples(readRows(file), settings, {
      ...context,
      file,
      target,
    });
    return evaluation(examples, numbers(examples.count));
  };
  const openText = async (file: string, tokens: number): Promise<EvaluationData> => {
    const plain = plainText(settings, file);
    const { examples } = await buildExamples(firstText(readRows(file), tokens), plain, {
      ...context,
      file,
    });
    let count = 0;
    while (count < examples.count && at(examples.starts, count) < tokens) count++;
    return evaluation(examples, numbers(count));
  };
  const trainBatch = converter(built.examples, data.packing);
  const files = {
    train: data.train,
    ...(typeof data.eval === "string" ? { eval: data.eval } : {}),
    ...(data.test === null ? {} : { test: data.test }),
  };
  return {
    train: built,
    plan,
    microBatchSize,
    target,
    eval: split
      ? evaluation(built.examples, split.eval)
      : typeof data.eval === "string"
        ? await open(data.eval)
        : undefined,
    batchesOf(step) {
      const micro = plan.step(step - 1);
      const tokens = micro.reduce((sum, { rows }) => sum + tokensOf(built.examples, rows), 0);
      return { batches: micro.map(trainBatch), tokens };
    },
    calibration({ samples, single, counts }) {
      const order = planBatches(built.examples, {
        subset: split?.train,
        batchSize: samples,
        microBatchSize: single ? 1 : Math.min(microBatchSize, samples),
        packing: false,
        maxLength: settings.max_length,
        shuffle: data.shuffle,
        groupByLength: false,
        seed: experiment.train.seed,
      });
      const toBatch = converter(built.examples, false);
      return order.step(0).map((micro) => {
        const batch = toBatch(micro);
        const tokens = micro.rows.map((row) => tokensOf(built.examples, [row]));
        return { batch, counted: countedTokens(batch, tokens, counts) };
      });
    },
    open,
    general: forgetting === null ? undefined : await openText(forgetting.text, forgetting.tokens),
    findings: [...built.findings, ...checkDistinctFiles(await realPaths(files))],
  };
}

/** Characters of a token at most, nearly; what is read too much is not measured. */
const charactersPerToken = 16;

/** The first rows that hold enough text for so many tokens. */
async function* firstText(rows: AsyncIterable<Row>, tokens: number): AsyncGenerator<Row> {
  let left = tokens * charactersPerToken;
  for await (const row of rows) {
    yield row;
    const { text } = row.values;
    left -= typeof text === "string" ? text.length : 0;
    if (left <= 0) return;
  }
}

/** A file that is read at the end of the run is looked for at its beginning. */
async function checkThere(file: string): Promise<void> {
  const facts = await stat(file).catch(() => undefined);
  if (facts?.isFile() === true) return;
  throw new UserError({
    code: "no-such-file",
    message: `There is no file ${file}.`,
    place: { file },
    remedy: "Check the path; it is relative to the experiment file.",
  });
}

function tokensOf({ starts }: Examples, rows: MicroBatch["rows"]): number {
  return rows
    .flat()
    .reduce((sum, example) => sum + at(starts, example + 1) - at(starts, example), 0);
}

/** 1 for the tokens of each row, or for those of them that have a loss. */
function countedTokens(
  { batch, length, rows, targets }: ModelBatch,
  tokens: readonly number[],
  counts: CalibrationChoice["counts"],
): Uint8Array {
  const counted = new Uint8Array(batch * length);
  // A classifier's rows are its first tokens, which are no choice of tokens to learn from.
  if (counts === "trained" && rows.length !== batch)
    for (const [index, row] of rows.entries())
      counted[row] = targets.kind === "values" || at(targets.labels, index) >= 0 ? 1 : 0;
  else
    for (const [row, own] of tokens.entries())
      counted.fill(1, row * length, row * length + Math.min(own, length));
  return counted;
}

function numbers(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index);
}

async function realPaths(
  files: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const entries = await Promise.all(
    Object.entries(files).map(
      async ([name, file]) => [name, await realpath(file).catch(() => file)] as const,
    ),
  );
  return Object.fromEntries(entries);
}

function longerThanModel(maxLength: number, { sizes }: Model): UserError {
  return new UserError({
    code: "longer-than-model",
    message: `data.max_length is ${maxLength}; the model reads at most ${sizes.maxLength} tokens.`,
    place: { file: "", field: "data.max_length" },
    remedy: `Set data.max_length to at most ${sizes.maxLength}.`,
  });
}
