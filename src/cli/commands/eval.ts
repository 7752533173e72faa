/** @file `spectune eval`: measures a run's model, or any other, on a data file. */
import { resolve } from "node:path";
import type { FileMeasurement } from "../../engine/session/evaluate-file.ts";
import { evaluateFile } from "../../engine/session/evaluate-file.ts";
import { trainingLabels } from "../../engine/session/training-labels.ts";
import { UserError } from "../../shared/errors.ts";
import { isMetric, metrics as metricRows } from "../../shared/experiment/fields/metrics.ts";
import { nearest } from "../../shared/experiment/nearest.ts";
import type { Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { count, figure, table } from "../format.ts";
import { loadingProgress } from "../loading-progress.ts";
import { chosenModel, modelOptions } from "../model-options.ts";
import { findingText } from "../read-file.ts";
import { withModel } from "../with-model.ts";

export const evalCommand: Command = {
  name: "eval",
  summary: "Measure a run's model, or a base with or without an adapter, on a data file.",
  usage:
    "(RUN | FOLDER | HUB-ID | --model MODEL [--adapter DIR]) --data FILE [--metrics LIST] [--json]",
  positionals: { min: 0, max: 1 },
  options: {
    ...modelOptions,
    data: { type: "string", value: "FILE", doc: "The examples: .jsonl .csv .parquet .txt" },
    metrics: {
      type: "string",
      value: "LIST",
      doc: "What is measured, such as loss,accuracy; by default what the experiment says.",
    },
    json: jsonOption,
  },
  async run(args, console) {
    const given = args.text("data");
    if (given === undefined)
      throw new UserError({
        code: "wrong-arguments",
        message: "spectune eval needs --data.",
        remedy: `Usage: spectune eval ${evalCommand.usage}`,
      });
    const file = resolve(console.cwd, given);
    const metrics = args.text("metrics");
    if (metrics !== undefined) checkNames(metrics);
    const overrides = metrics === undefined ? [] : [`eval.metrics=[${metrics}]`, "eval.final=[]"];
    const chosen = await chosenModel(args, console, overrides);
    const { experiment, runFolder } = chosen;
    await withModel(chosen, console, async (open) => {
      const labels = runFolder === undefined ? undefined : await trainingLabels(experiment, open);
      const measuring = loadingProgress(console, "measuring");
      const measured = await evaluateFile(open, experiment, file, labels, measuring.update);
      measuring.close();
      for (const finding of measured.findings) console.err(findingText(finding));
      const { examples, metrics: values, intervals } = measured;
      if (args.flag("json"))
        console.out(`${JSON.stringify({ data: file, examples, metrics: values, intervals })}\n`);
      else console.out(report(measured));
    });
    return 0;
  },
};

/** The names outside of braces, in which a metric's own fields stand. */
function checkNames(list: string): void {
  const names = list.replaceAll(/\{[^{}]*\}/g, "").match(/[^\s,:]+/g) ?? [];
  const known = Object.keys(metricRows);
  const unknown = names.find((name) => !isMetric(name));
  if (names.length > 0 && unknown === undefined) return;
  const near = unknown === undefined ? undefined : nearest(unknown, known);
  throw new UserError({
    code: "wrong-arguments",
    message:
      unknown === undefined ? "--metrics names no metric." : `There is no metric ${unknown}.`,
    remedy: near === undefined ? `The metrics are ${known.join(", ")}.` : `Did you mean ${near}?`,
  });
}

function report({ examples, metrics, intervals }: FileMeasurement): string {
  const rows = Object.entries(metrics).map(([name, value]) => {
    const interval = intervals[name];
    return [
      name,
      figure(value),
      interval === undefined ? "" : `${figure(interval.low)} to ${figure(interval.high)}`,
    ];
  });
  const head = [{ title: "metric" }, { title: "value", right: true }, { title: "95 % interval" }];
  return `${count(examples)} examples\n\n${table(head, rows)}`;
}
