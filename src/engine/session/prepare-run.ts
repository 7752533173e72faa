/** @file Everything before the first step: model, tokenizer, data, setup and plan; wrong input ends here, nothing is written. */
import { basename } from "node:path";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Finding } from "../../shared/findings.ts";
import type { EventBody, PlanNumbers } from "../../shared/protocol.ts";
import { UserError } from "../../shared/errors.ts";
import type { LoadedTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import { loadTokenizer } from "../data/tokenizer/load-tokenizer.ts";
import type { Predicted } from "../metrics/define.ts";
import { excludedPairs } from "../catalog-pairs.ts";
import { checkMetrics } from "../metrics/table.ts";
import type { Model } from "../models/architecture.ts";
import { memoryInputs } from "../plan/memory-inputs.ts";
import { tensorsAtFault } from "../models/tensors-at-fault.ts";
import { tensorsLeftOut } from "../models/tensors-left-out.ts";
import { planMemory } from "../plan/plan-memory.ts";
import { stepsOf } from "../plan/training-plan.ts";
import { referenceOf } from "../weights/hub-cache.ts";
import { throwErrors } from "../weights/read-errors.ts";
import type { ChosenDevice, MachineFacts } from "./choose-device.ts";
import { chooseDevice, slowChoice } from "./choose-device.ts";
import { estimateRun } from "./estimate-run.ts";
import { labelsOfHead, withHeadFor } from "./head.ts";
import type { OpenModel } from "./open-model.ts";
import { openModel } from "./open-model.ts";
import { placesHere } from "./places-here.ts";
import { withField, withFields } from "./problem-fields.ts";
import { productRate } from "./product-rate.ts";
import { createFullMatch } from "./python-regex.ts";
import type { RunData } from "./run-data.ts";
import { openRunData } from "./run-data.ts";
import type { ModelSetup } from "./set-up.ts";
import { carriedOn, heldOn, setUpModel } from "./set-up.ts";

export interface PreparedRun {
  readonly experiment: Experiment;
  readonly opened: OpenModel;
  readonly tokenizer: LoadedTokenizer;
  readonly data: RunData;
  readonly setup: ModelSetup;
  readonly steps: number;
  readonly device: ChosenDevice;
  readonly plan: PlanNumbers;
}

/** For one expression on one module's name. */
export const matchMs = 1000;

export interface PrepareHost {
  readonly emit: (event: EventBody) => void;
  readonly facts: MachineFacts;
  /** What chat templates see as the present; a resumed run is told when it first began. */
  readonly now: Date;
  /** What the machine has, in bytes, and whether a run that needs more is refused or only warned of. */
  readonly memory?: { readonly bytes: number; readonly whereOver: "warn" | "refuse" };
  /** {@link productRate} of so many threads; measured anew where several runs need not be held against each other. */
  readonly rateOf?: (threads: number) => Promise<number>;
}

/** Measures how fast this machine multiplies at present. */
export function rateNow(threads: number): Promise<number> {
  return productRate(threads, () => performance.now());
}

/** The experiment has absolute paths. The caller closes `opened.source` of what comes back. */
export async function prepareRun(experiment: Experiment, host: PrepareHost): Promise<PreparedRun> {
  return await withFields(experiment, async () => {
    host.emit({ type: "progress", phase: "loading", done: 0 });
    const { model, task } = experiment;
    const opened = await openModel(referenceOf(model), task, placesHere());
    try {
      return await prepare(experiment, opened, host);
    } catch (error) {
      await opened.source.close();
      throw error;
    }
  });
}

async function prepare(
  experiment: Experiment,
  opened: OpenModel,
  { emit, facts, now, memory, rateOf = rateNow }: PrepareHost,
): Promise<PreparedRun> {
  const device = chooseDevice(experiment.run, facts);
  const tokenizer = await loadTokenizer(opened.resolved.folder);
  const setUp = (model: Model) =>
    setUpModel(model, experiment, opened.source.tensors, createFullMatch(matchMs));
  // What is cheap to find comes before the data are read.
  const first = setUp(opened.model);
  const fault = tensorsAtFault(opened.model, opened.source.tensors);
  if (fault)
    throw new UserError({
      code: "weights-of-another-model",
      ...fault,
      place: { file: opened.resolved.folder },
    });
  throwErrors(excludedPairs(experiment));
  throwErrors(first.findings);
  // A prompt takes some of the model's length.
  const data = await openRunData(experiment, first.value.model, tokenizer, {
    now,
    headLabels: labelsOfHead(opened),
    onProgress(file, rows) {
      const detail = `tokenizing ${basename(file)}, at row ${(rows + 1).toLocaleString("en-US")}`;
      emit({ type: "progress", phase: "loading", done: rows, detail });
    },
  });
  const { value, findings } = setUp(withHeadFor(opened, data.target));
  const setup = carriedOn(heldOn(value, device.chosen), device.chosen, experiment.train);
  throwErrors([...findings, ...checkMeasures(experiment, setup.model)]);
  const unused = tensorsLeftOut(setup.model, opened.source.tensors.keys());
  for (const finding of [
    ...opened.findings,
    ...(unused ? [{ code: "unused-tensors", severity: "warning", ...unused } as const] : []),
    ...findings,
    ...data.findings,
  ])
    if (finding.severity !== "error")
      emit({ type: "finding", finding: withField(finding, experiment) });
  const steps = stepsOf(experiment, data);
  const peakMemoryBytes = planMemory(memoryInputs(experiment, setup, data, tokenizer)).total;
  const over =
    device.chosen === "cpu" ? overMemory(experiment, peakMemoryBytes, memory) : undefined;
  if (over?.severity === "error") throwErrors([over]);
  if (over) emit({ type: "finding", finding: over });
  // Of a GPU the rate is not known before something has run there.
  const rate = device.chosen === "cpu" ? await rateOf(device.threads) : undefined;
  const plan: PlanNumbers = {
    trainableParameters: setup.trainableParameters,
    totalParameters: setup.totalParameters,
    peakMemoryBytes,
    steps,
    ...(rate === undefined
      ? {}
      : { estimatedSeconds: estimateRun(experiment, setup, data, steps, rate) }),
  };
  const slow =
    plan.estimatedSeconds === undefined
      ? undefined
      : slowChoice(device, facts, plan.estimatedSeconds);
  if (slow) emit({ type: "finding", finding: slow });
  return { experiment, opened, tokenizer, data, setup, steps, device, plan };
}

/** A run that no machine like this one can hold: it would be ended by the system in the midst of its work. */
function overMemory(
  { run }: Experiment,
  needed: number,
  memory: PrepareHost["memory"],
): Finding | undefined {
  if (memory === undefined || needed <= memory.bytes) return undefined;
  const [needs, has] = [needed, memory.bytes].map((bytes) => `${(bytes / 1e9).toFixed(1)} GB`);
  const isRefused = memory.whereOver === "refuse" && run.over_memory === "refuse";
  return {
    code: "memory-over-machine",
    severity: isRefused ? "error" : "warning",
    message: `The run takes about ${needs} of memory; this machine has ${has}.`,
    place: { file: "", field: "train" },
    remedy: `Make it smaller: a lower method.r, train.micro_batch_size or data.max_length, gradient_checkpointing, a quantized base.${run.over_memory === "refuse" ? " `run.over_memory: allow` tries it all the same." : ""}`,
  };
}

/** Metrics that have no meaning for the model. */
export function checkMeasures(
  { eval: { metrics, final, forgetting } }: Experiment,
  model: Model,
): readonly Finding[] {
  const predicted: Predicted =
    model.task === "causal-lm"
      ? { tokens: true }
      : model.target === "values"
        ? { number: true }
        : { classes: model.labels ?? 0 };
  const findings = checkMetrics([...(metrics ?? []), ...final], predicted);
  if (forgetting === null || model.task === "causal-lm") return findings;
  return [
    ...findings,
    {
      code: "metric-without-meaning",
      severity: "error",
      message: "`eval.forgetting` has no meaning here: a classifier has no loss on text.",
      remedy: "Remove it.",
    },
  ];
}
