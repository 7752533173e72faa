/** @file Task score and forgetting of a model before and after a mitigation, and of its control, by the way that `eval` measures. */
import type { MeasuredRow } from "../shared/intruder-records.ts";
import type { Experiment } from "../shared/experiment/fields/experiment-fields.ts";
import { pairedBootstrap } from "../engine/statistics/bootstrap.ts";
import type { Interval } from "../engine/statistics/interval.ts";
import type { FileMeasurement } from "../engine/session/evaluate-file.ts";
import { evaluateFile } from "../engine/session/evaluate-file.ts";
import type { InferenceModel } from "../engine/session/open-for-inference.ts";
import type { ModelPlaces } from "../engine/weights/hub-cache.ts";
import type { Console } from "./define.ts";
import { figure, table } from "./format.ts";
import { loadingProgress } from "./loading-progress.ts";
import { findingText } from "./read-file.ts";
import { withModel } from "./with-model.ts";

/** One model on the files of the task and of general text. */
interface Measured {
  readonly task: FileMeasurement | undefined;
  readonly text: FileMeasurement | undefined;
}

export interface MeasureFiles {
  readonly data: string | undefined;
  readonly text: string | undefined;
}

export async function measureAll(
  models: {
    readonly before: InferenceModel;
    readonly after: InferenceModel;
    readonly control: InferenceModel;
  },
  experiment: Experiment,
  files: MeasureFiles,
  places: ModelPlaces,
  console: Console,
): Promise<readonly MeasuredRow[]> {
  const on = (model: InferenceModel, what: string) =>
    measured(model, experiment, files, places, console, what);
  const before = await on(models.before, "measuring before");
  const after = await on(models.after, "measuring after");
  const control = await on(models.control, "measuring the control");
  return [
    ...rowsOf("task", before.task, after.task, control.task),
    ...rowsOf("general text", before.text, after.text, control.text),
  ];
}

async function measured(
  model: InferenceModel,
  experiment: Experiment,
  { data, text }: MeasureFiles,
  places: ModelPlaces,
  console: Console,
  what: string,
): Promise<Measured> {
  let [onTask, onText]: [FileMeasurement | undefined, FileMeasurement | undefined] = [
    undefined,
    undefined,
  ];
  await withModel({ model, places }, console, async (open) => {
    const bar = loadingProgress(console, what);
    if (data !== undefined)
      onTask = await evaluateFile(open, experiment, data, undefined, bar.update);
    if (text !== undefined)
      onText = await evaluateFile(open, generalText(experiment), text, undefined, bar.update);
    bar.close();
    for (const finding of onTask?.findings ?? []) console.err(findingText(finding));
  });
  return { task: onTask, text: onText };
}

/** The experiment read as plain text: nothing of the task's form applies. */
function generalText(experiment: Experiment): Experiment {
  return {
    ...experiment,
    data: {
      ...experiment.data,
      format: "text",
      template: null,
      chat_template: null,
      loss_on: "all",
    },
    eval: {
      ...experiment.eval,
      metrics: ["loss", "perplexity"].map((type) => ({ type, config: {} })),
      final: [],
    },
  };
}

const resamples = 2000;

function rowsOf(
  on: MeasuredRow["on"],
  before: FileMeasurement | undefined,
  after: FileMeasurement | undefined,
  control: FileMeasurement | undefined,
): readonly MeasuredRow[] {
  if (!before || !after || !control) return [];
  return Object.entries(before.metrics).map(([metric, value]) => ({
    on,
    metric,
    n: before.examples,
    before: value,
    after: after.metrics[metric] ?? NaN,
    control: control.metrics[metric] ?? NaN,
    afterDifference: difference(metric, before, after),
    controlDifference: difference(metric, before, control),
  }));
}

/** 95 % bootstrap interval of the paired difference; of losses per example where the metric is the loss. */
function difference(
  metric: string,
  before: FileMeasurement,
  after: FileMeasurement,
): Interval | undefined {
  const of = ({ results }: FileMeasurement): readonly number[] =>
    results.flatMap(({ scores, targets }) => {
      const value = metric === "loss" && targets ? targets.loss / targets.count : scores?.[metric];
      return value === undefined || !Number.isFinite(value) ? [] : [value];
    });
  const [a, b] = [of(after), of(before)];
  if (a.length === 0 || a.length !== b.length || b.length !== before.results.length)
    return undefined;
  return pairedBootstrap(a, b, { confidence: 0.95, seed: 0, resamples }).interval;
}

/** Differences stand beside the value, as their interval. */
export function measuredTable(rows: readonly MeasuredRow[]): string {
  const interval = (range: Interval | undefined): string =>
    range === undefined ? "" : `[${signed(range.low)}, ${signed(range.high)}]`;
  return table(
    [
      { title: "on" },
      { title: "metric" },
      { title: "n", right: true },
      { title: "before", right: true },
      { title: "after", right: true },
      { title: "95 % of difference", right: true },
      { title: "control", right: true },
      { title: "95 % of difference", right: true },
    ],
    rows.map((row) => [
      row.on,
      row.metric,
      String(row.n),
      figure(row.before),
      figure(row.after),
      interval(row.afterDifference),
      figure(row.control),
      interval(row.controlDifference),
    ]),
  );
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toPrecision(3)}`;
}
