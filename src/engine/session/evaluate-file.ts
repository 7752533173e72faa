/** @file Measures an opened model on a data file of its own, apart from a run. */
import { UserError } from "../../shared/errors.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { loadTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import type { LabelTarget } from "../data/examples/label-column.ts";
import type { Measurement } from "../metrics/table.ts";
import type { Model } from "../models/architecture.ts";
import type { Interval } from "../statistics/interval.ts";
import { wilsonInterval } from "../statistics/wilson.ts";
import { throwErrors } from "../weights/read-errors.ts";
import { evaluate } from "./evaluate.ts";
import { labelsOfHead } from "./head.ts";
import type { OpenInference } from "./open-for-inference.ts";
import { checkMeasures } from "./prepare-run.ts";
import { createLastGroup } from "./python-regex.ts";
import { openRunData } from "./run-data.ts";

export interface FileMeasurement extends Measurement {
  readonly examples: number;
  /** 95 % intervals of the metrics that are shares of examples. */
  readonly intervals: Readonly<Record<string, Interval>>;
}

/** For finding the answer in one completion. */
const answerMs = 1000;

const confidence = 0.95;

/**
 * `experiment` says how rows become examples and what is measured. `labels` are a classifier's, in the
 * order of its outputs, where they are known apart from the checkpoint.
 */
export async function evaluateFile(
  open: OpenInference,
  experiment: Experiment,
  file: string,
  labels: readonly string[] | undefined,
  onProgress: (done: number, total: number) => void,
): Promise<FileMeasurement> {
  const { model } = open.trained.setup;
  const tokenizer = await loadTokenizer(open.opened.resolved.folder);
  const settings = {
    ...experiment,
    data: { ...experiment.data, train: file, eval: null, test: null },
    eval: { ...experiment.eval, forgetting: null },
  };
  throwErrors(checkMeasures(settings, model));
  const known = experiment.data.labels ?? labels ?? labelsOfHead(open.opened);
  const data = await openRunData(settings, model, tokenizer, {
    now: new Date(),
    headLabels: known,
  });
  if (data.target) checkLabels(data.target, model, known, file);
  const split = await data.open(file);
  const { metrics, final } = experiment.eval;
  const tools = { lastGroup: createLastGroup(answerMs) };
  const measured = await evaluate({ context: open.context, tokenizer, tools, onProgress }, split, [
    ...(metrics ?? []),
    ...final,
  ]);
  return { ...measured, examples: split.subset.length, intervals: intervalsOf(measured) };
}

/** Labels in words have an order only where somebody says it. */
function checkLabels(
  target: LabelTarget,
  model: Model,
  known: readonly string[] | undefined,
  file: string,
): void {
  const refuse = (message: string): UserError =>
    new UserError({
      code: "labels-do-not-fit",
      message,
      place: { file },
      remedy:
        "Say the labels in the order of the model's outputs: --set 'data.labels=[first, second]'.",
    });
  if ((target.kind === "number") !== (model.target === "values"))
    throw refuse(
      `The data's labels are ${target.kind === "number" ? "numbers" : "classes"}, the model predicts ${model.target === "values" ? "a number" : "classes"}.`,
    );
  if (target.kind === "number") return;
  const { names } = target;
  if (names.length > (model.labels ?? 0))
    throw refuse(`The data have ${names.length} labels, the model ${model.labels ?? 0} outputs.`);
  if (known === undefined && !names.every((name) => /^\d+$/u.test(name)))
    throw refuse(`The labels ${names.join(", ")} have no known order.`);
}

/** Wilson's interval of each metric that is the share of examples scored 1, the others scoring 0. */
function intervalsOf({ metrics, results }: Measurement): Readonly<Record<string, Interval>> {
  const entries = Object.keys(metrics).flatMap((name) => {
    const scores = results.flatMap(({ scores: own }) => own?.[name] ?? []);
    if (scores.length !== results.length || !scores.every((score) => score === 0 || score === 1))
      return [];
    const successes = scores.filter((score) => score === 1).length;
    const share = successes / scores.length;
    // A share of all tokens is none of examples.
    if (!(Math.abs(share - (metrics[name] ?? NaN)) < 1e-9)) return [];
    return [[name, wilsonInterval(successes, scores.length, confidence)] as const];
  });
  return Object.fromEntries(entries);
}
