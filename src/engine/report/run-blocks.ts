/** @file What a report shows of a run, or of several: loss curves, measurements, samples. */
import type { Evaluation } from "../../shared/protocol.ts";
import type { RunView } from "../../shared/run-view.ts";
import type { CaptionFacts } from "./caption.ts";
import { captionTail } from "./caption.ts";
import type { Series } from "./line-chart.ts";
import { lineChart } from "./line-chart.ts";
import type { Block } from "./page.ts";

export interface ReportedRun {
  readonly label: string;
  readonly seed: number;
  readonly view: Pick<RunView, "steps" | "evaluations" | "samples" | "summary" | "started">;
  /** Examples of measurements that generate. */
  readonly completions: readonly Completion[];
}

export interface Completion {
  readonly split: string;
  readonly moment: string;
  readonly index: number;
  readonly generated: string;
  readonly expected: string;
}

export function runBlocks(runs: readonly ReportedRun[], version: string): readonly Block[] {
  const facts: CaptionFacts = { version, seeds: [...new Set(runs.map(({ seed }) => seed))] };
  const said = captionTail(facts);
  const several = runs.length > 1;
  const named = (label: string, what: string): string => (several ? `${label}, ${what}` : what);
  const losses = runs.flatMap(({ label, view }): readonly Series[] => [
    {
      name: named(label, "training"),
      points: view.steps.map(({ step, loss }) => [step, loss]),
    },
    ...(["eval", "general"] as const).flatMap((split) => {
      const points = view.evaluations
        .filter((one) => one.split === split && one.metrics["loss"] !== undefined)
        .map(({ step, metrics }) => [step, metrics["loss"] ?? NaN] as const);
      return points.length === 0 ? [] : [{ name: named(label, split), points }];
    }),
  ]);
  const evals = runs.flatMap(({ label, view }) =>
    view.evaluations.map((evaluation) => ({ label, evaluation })),
  );
  const metrics = [...new Set(evals.flatMap(({ evaluation }) => Object.keys(evaluation.metrics)))];
  const samples = runs.flatMap(({ label, view, completions }): readonly Block[] => [
    ...completions.map(({ split, moment, index, generated, expected }): Block => ({
      kind: "sample",
      text: `${named(label, `${split} ${moment}, example ${index + 1}`)}\n→ ${generated.trim()}\n= ${expected.trim()}`,
    })),
    ...view.samples.map(({ step, prompt, completion, expected }): Block => ({
      kind: "sample",
      text: `${named(label, `step ${step}`)}\n${prompt}\n→ ${completion}${expected === undefined ? "" : `\n= ${expected}`}`,
    })),
  ]);
  return [
    { kind: "heading", text: "Training" },
    ...runs.flatMap((run): readonly Block[] => (several ? [] : [factsTable(run, said)])),
    ...(losses.some(({ points }) => points.length > 0)
      ? [
          {
            kind: "chart" as const,
            caption: `Loss over training, ${said}`,
            svg: lineChart({ x: "step", y: "loss", series: losses }),
            table: {
              head: ["curve", "step", "loss"],
              rows: losses.flatMap(({ name, points }) =>
                points.map(([step, value]) => [name, step, value]),
              ),
            },
          },
        ]
      : []),
    ...(evals.length === 0
      ? []
      : [
          {
            kind: "table" as const,
            caption: `Measurements, ${said}`,
            table: {
              head: ["run", "split", "moment", "step", "examples", ...metrics],
              rows: evals.map(({ label, evaluation }) => evaluationRow(label, evaluation, metrics)),
            },
          },
        ]),
    ...(samples.length === 0 ? [] : [samplesHead, ...samples]),
  ];
}

/** Goes with the texts where they are left out. */
const samplesHead: Block = { kind: "sample", text: "Samples: → as generated, = as expected" };

function evaluationRow(
  label: string,
  { split, moment, step, examples, metrics }: Evaluation,
  names: readonly string[],
): readonly (string | number)[] {
  const values = names.map((name) => metrics[name]?.toPrecision(4) ?? "");
  return [label, split, moment, step, examples, ...values];
}

function factsTable(
  { label, view: { summary, started, steps } }: ReportedRun,
  said: string,
): Block {
  const parameters = summary?.trainableParameters ?? started?.plan.trainableParameters;
  const rows: (string | number)[][] = [
    ["run", label],
    ["how it ended", summary?.status ?? "it has not ended"],
    ["steps", steps.at(-1)?.step ?? 0],
    ...(parameters === undefined ? [] : [["trainable parameters", parameters]]),
    ...(summary
      ? [
          ["peak memory, MB", Math.round(summary.peakMemoryBytes / 1e6)],
          ["tokens per second", Math.round(summary.tokensPerSecond)],
        ]
      : []),
  ];
  return { kind: "table", caption: `The run, ${said}`, table: { head: ["", ""], rows } };
}
