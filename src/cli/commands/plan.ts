/** @file `spectune plan`: what a run will take, before it is run. */
import { resolve } from "node:path";
import { machineFacts, memoryOfMachine } from "../../engine/session/machine-facts.ts";
import { memoryInputs } from "../../engine/plan/memory-inputs.ts";
import type { PrepareHost } from "../../engine/session/prepare-run.ts";
import { prepareRun } from "../../engine/session/prepare-run.ts";
import { withAbsolutePaths } from "../../engine/session/absolute-paths.ts";
import { planMemory } from "../../engine/plan/plan-memory.ts";
import type { MemoryPlan } from "../../engine/plan/plan-memory.ts";
import { viewTokens } from "../../engine/data/token-view.ts";
import { tokenLines } from "../token-lines.ts";
import type { Command } from "../define.ts";
import { jsonOption } from "../define.ts";
import { bytes, count, duration, percent, table } from "../format.ts";
import { withFieldPlaces } from "../field-places.ts";
import { numberOption } from "../model-options.ts";
import { createProgress } from "../progress.ts";
import { usableExperiment } from "../read-file.ts";
import type { PlannedPoint } from "../sweep-plan.ts";
import { planPoints, pointsTable, sweepSeconds } from "../sweep-plan.ts";
import { isFolder } from "../../engine/weights/on-disk.ts";

export const planCommand: Command = {
  name: "plan",
  summary: "Tell parameters, memory and steps of a run, and show its first examples.",
  usage: "FILE [--set key=value]… [--examples N] [--json]",
  positionals: { min: 1, max: 1 },
  options: {
    set: { type: "string", multiple: true, value: "KEY=VALUE", doc: "Override a field." },
    examples: { type: "string", value: "N", doc: "How many examples to show as tokens (3)." },
    json: jsonOption,
  },
  shown: {
    runtime: "Node, ONNX Runtime and the command itself",
    base: "the model as it is held",
    scratch: "where packed weights are expanded, one at a time",
    trained: "what trains, and its gradients",
    optimizer: "its state",
    activations: "what the forward pass keeps, and its gradients",
    programs: "what compiled programs keep for intermediate results",
    copies: "the second copy of a program's outputs, for a moment",
    data: "tokens of the examples",
  },
  async run(args, console) {
    const [file = ""] = args.positionals;
    const examples = numberOption(args, "examples", { min: 0, max: 1e6, whole: true }) ?? 3;
    const read = await usableExperiment(file, args.texts("set"), console);
    const progress = createProgress(console);
    const { first, points } = await withFieldPlaces(
      resolve(console.cwd, file),
      args.texts("set"),
      async (placed) => {
        const host: PrepareHost = {
          emit(event) {
            progress.event(placed(event));
          },
          facts: machineFacts(),
          memory: { bytes: memoryOfMachine(), whereOver: "warn" },
          now: new Date(),
        };
        if (read.sweep) return planPoints(read.sweep, read.folder, host);
        const prepared = await prepareRun(
          withAbsolutePaths(read.experiment, read.folder, isFolder),
          host,
        );
        await prepared.opened.source.close();
        return { first: prepared, points: undefined };
      },
    ).finally(() => {
      progress.close();
    });
    const { experiment, plan, setup, data, tokenizer, device } = first;
    if (args.flag("json")) {
      const each = points?.map(({ plan: numbers, ...point }) => ({ ...point, ...numbers }));
      console.out(`${JSON.stringify({ ...plan, device, points: each })}\n`);
      return 0;
    }
    const memory = planMemory(memoryInputs(experiment, setup, data, tokenizer));
    const share = percent(plan.trainableParameters / plan.totalParameters);
    console.out(
      [
        ...(points ? sweepLines(points) : []),
        `trainable  ${count(plan.trainableParameters)} of ${count(plan.totalParameters)} parameters (${share})`,
        `steps      ${count(plan.steps)} (${count(data.plan.stepsPerEpoch)} an epoch, batches of ${experiment.train.batch_size} in memory ${data.microBatchSize} at a time)`,
        `tokens     ${count(data.plan.tokensPerEpoch)} an epoch; lengths padded to ${data.plan.buckets.join(", ")}`,
        `memory     about ${bytes(memory.total)}`,
        ...(plan.estimatedSeconds === undefined
          ? []
          : [`time       about ${duration(plan.estimatedSeconds)}`]),
        `device     ${device.chosen} (${device.requested}), ${count(device.threads)} thread${device.threads === 1 ? "" : "s"}. ${device.reason}`,
        "",
        table([{ title: "memory" }, { title: "bytes", right: true }], memoryRows(memory)),
        tokenLines(
          viewTokens(data.train.examples, tokenizer, {
            count: examples,
            target: data.target,
          }),
        ),
      ].join("\n"),
    );
    return 0;
  },
};

/** The points of a sweep, before what the file itself takes. */
function sweepLines(points: readonly PlannedPoint[]): readonly string[] {
  const runs = points.reduce((sum, point) => sum + point.runs, 0);
  const seconds = sweepSeconds(points);
  return [
    `sweep      ${count(runs)} runs${seconds === undefined ? "" : `, about ${duration(seconds)} one after the other`}`,
    "",
    pointsTable(points),
    "its first point:",
  ];
}

/** The parts that take something, which add up to the total. */
function memoryRows(memory: MemoryPlan): readonly (readonly string[])[] {
  return Object.entries<number>({ ...memory })
    .filter(([, size]) => size > 0)
    .map(([name, size]) => [name === "process" ? "runtime" : name, bytes(size)]);
}
