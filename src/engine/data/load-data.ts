/** @file The data of an experiment: training and evaluation examples, and, on its own, the test data. */
import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import { checkDistinctFiles, splitExamples } from "./batches/splits.ts";
import { buildExamples, type BuiltExamples } from "./examples/build-examples.ts";
import type { LabelTarget } from "./examples/label-column.ts";
import { readRows } from "./rows/read-rows.ts";
import type { LoadedTokenizer } from "./tokenizer/load-tokenizer.ts";

export interface DataContext {
  /** Relative paths start here. */
  readonly folder: string;
  readonly task: Experiment["task"];
  readonly tokenizer: LoadedTokenizer;
  /** The time that chat templates see; a resumed run takes that of its first start. */
  readonly now: Date;
}

/** Examples and which of them to use; `undefined` means all. */
export interface DataPart {
  readonly built: BuiltExamples;
  readonly subset: Uint32Array | undefined;
}

export interface LoadedData {
  readonly train: DataPart;
  readonly eval: DataPart | undefined;
  /** What labels are; only of labelled examples. */
  readonly target: LabelTarget | undefined;
  readonly findings: readonly Finding[];
}

/** Reads and tokenizes the training and the evaluation data. Throws a UserError that names file and line. */
export async function loadData(
  data: Experiment["data"],
  context: DataContext,
): Promise<LoadedData> {
  const train = await loadFile(data.train, data, context);
  const part =
    data.eval === null || typeof data.eval === "string"
      ? undefined
      : splitExamples(train.examples.count, data.eval.share, data.eval.seed);
  if (part?.eval.length === 0)
    throw new UserError({
      code: "too-few-examples",
      message: "The training data have a single example: none can be set aside.",
      place: { file: resolve(context.folder, data.train), field: "data.eval" },
      remedy: "Give `data.eval` a file of its own, or more training data.",
    });
  const evalFile =
    typeof data.eval === "string"
      ? await loadFile(data.eval, data, context, train.target)
      : undefined;
  return {
    train: { built: train, subset: part?.train },
    eval:
      part !== undefined
        ? { built: train, subset: part.eval }
        : evalFile && { built: evalFile, subset: undefined },
    target: train.target,
    findings: [
      ...train.findings,
      ...(evalFile?.findings ?? []),
      ...(await sharedFiles(data, context.folder)),
    ],
  };
}

/** Reads the test data, which a run does once, after its last step. */
export async function loadTestData(
  data: Experiment["data"],
  context: DataContext,
  target: LabelTarget | undefined,
): Promise<BuiltExamples | undefined> {
  return data.test === null ? undefined : await loadFile(data.test, data, context, target);
}

function loadFile(
  path: string,
  data: Experiment["data"],
  context: DataContext,
  target?: LabelTarget,
): Promise<BuiltExamples> {
  const file = resolve(context.folder, path);
  return buildExamples(readRows(file), data, { ...context, file, target });
}

async function sharedFiles(data: Experiment["data"], folder: string): Promise<readonly Finding[]> {
  const real = async (path: unknown): Promise<string | undefined> =>
    typeof path === "string" ? realpath(resolve(folder, path)).catch(() => undefined) : undefined;
  const [train, evalFile, test] = await Promise.all([
    real(data.train),
    real(data.eval),
    real(data.test),
  ]);
  return checkDistinctFiles({
    ...(train === undefined ? {} : { train }),
    ...(evalFile === undefined ? {} : { eval: evalFile }),
    ...(test === undefined ? {} : { test }),
  });
}

/** The id that fills rows up: the tokenizer's padding, else its end of sequence, else 0; no loss is computed on it. */
export function paddingId(tokenizer: LoadedTokenizer): number {
  return tokenizer.special.pad?.id ?? tokenizer.special.eos?.id ?? 0;
}
