/** @file Numbers before the run, by the engine's own arithmetic: parameters, steps, memory. */
import type { HeadOutputs, Model } from "../../src/engine/models/architecture.ts";
import { readModel } from "../../src/engine/models/registry.ts";
import { cutExamples } from "../../src/engine/data/examples/example-store.ts";
import type { Examples } from "../../src/engine/data/examples/example-store.ts";
import { plainText } from "../../src/engine/data/examples/plain-text.ts";
import type { MeasuredSplit } from "../../src/engine/plan/memory-inputs.ts";
import { memoryInputs } from "../../src/engine/plan/memory-inputs.ts";
import type { MemoryPlan } from "../../src/engine/plan/plan-memory.ts";
import { planMemory } from "../../src/engine/plan/plan-memory.ts";
import {
  measuringBatches,
  measuringBatchSize,
  planTraining,
  stepsOf,
} from "../../src/engine/plan/training-plan.ts";
import { planSetup } from "../../src/engine/plan/setup.ts";
import type { ModelSetup } from "../../src/engine/plan/setup.ts";
import type { Experiment } from "../../src/shared/experiment/fields/experiment-fields.ts";
import type { Checked, Finding } from "../../src/shared/findings.ts";
import { canonicalJson } from "../../src/shared/experiment/serialise.ts";
import type { Analysis } from "./analysis.ts";
import { fullMatchOf } from "./checks/fullmatch.ts";
import type { ExampleFacts, Facts, Known } from "./facts.ts";
import { valueOf } from "./facts.ts";
import { createLaterOf } from "./later.ts";
import type { ModelView } from "./model-view.ts";

export interface Parameters {
  readonly trainable: number;
  readonly total: number;
  /** What the setup itself refuses; most of it other checks tell with more about it. */
  readonly refused: readonly Finding[];
}

export interface Training {
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly microBatchSize: number;
  readonly memory: MemoryPlan;
  /** Every example was looked at; else the numbers are told from the first ones. */
  readonly exact: boolean;
}

const unknown = { state: "pending" } as const;
const laterParameters = createLaterOf<Parameters>();
const laterTraining = createLaterOf<Training>();

/** Trained and all parameters; pending where the model does not train here, or is not known yet. */
export function parametersOf({ experiment, model, facts }: Analysis): Known<Parameters> {
  const view = valueOf(model);
  if (experiment === undefined || view?.model === undefined) return unknown;
  const outputs = headOutputs(experiment, undefined);
  return laterParameters(facts, keyOf("parameters", experiment, view), () => {
    const { value, findings } = setupOf(experiment, view, facts, outputs);
    const { trainableParameters: trainable, totalParameters: total } = value;
    return { trainable, total, refused: findings };
  });
}

/** Steps and memory; needs the examples' lengths. */
export function trainingOf(analysis: Analysis): Known<Training> {
  const { experiment, model, facts, base } = analysis;
  const view = valueOf(model);
  if (experiment === undefined || view?.model === undefined) return unknown;
  const found = foundData(experiment, facts, base);
  if (found.state !== "known") return found;
  // Where nothing trains, a check says why, and there is nothing to plan.
  if ((valueOf(parametersOf(analysis))?.trainable ?? 0) === 0) return unknown;
  const { train, eval: evaluated, general } = found.value;
  const read = [train, evaluated, general].map((each) => each && identityOf(each));
  const key = `${keyOf("training", experiment, view)} ${read.join()}`;
  return laterTraining(facts, key, () => computeTraining(experiment, view, found.value, facts));
}

/** What was read of the data that a run trains on and measures on. */
export interface FoundData {
  readonly train: ExampleFacts;
  /** Of a file of its own. */
  readonly eval: ExampleFacts | undefined;
  readonly general: ExampleFacts | undefined;
}

/** Pending until all is read; what cannot be read of measurements is left out, and a check says why. */
export function foundData(experiment: Experiment, facts: Facts, base: string): Known<FoundData> {
  const { data, eval: measuring } = experiment;
  const train = facts.examples(experiment, base);
  if (train.state !== "known") return train;
  const other = (
    change: Partial<Experiment["data"]> | undefined,
  ): Known<ExampleFacts> | undefined =>
    change && facts.examples({ ...experiment, data: { ...data, ...change } }, base);
  const own = other(typeof data.eval === "string" ? { train: data.eval } : undefined);
  const general = other(
    measuring.forgetting === null ? undefined : plainText(data, measuring.forgetting.text),
  );
  if (own?.state === "pending" || general?.state === "pending") return unknown;
  return {
    state: "known",
    value: { train: train.value, eval: own && valueOf(own), general: general && valueOf(general) },
  };
}

/** The same, at once: for what a click asks. */
export function computeTraining(
  experiment: Experiment,
  view: ModelView,
  found: FoundData,
  facts: Facts,
): Training {
  const { counts, target, vocabSize, complete, total } = found.train;
  const { value: setup } = setupOf(experiment, view, facts, headOutputs(experiment, found.train));
  const maxLength = Math.min(experiment.data.max_length, setup.model.sizes.maxLength);
  // A proposal may allow less than what the examples were read with.
  const examples = cutExamples(found.train.examples, maxLength);
  const { microBatchSize, batches, split } = planTraining(experiment, examples, {
    maxLength,
    longest: Math.min(counts.longest, maxLength),
  });
  const scale = complete ? 1 : Math.max(1, total / Math.max(1, examples.count));
  const stepsPerEpoch = Math.ceil((batches.rows * scale) / experiment.train.batch_size);
  const measured = (on: Examples, subset: Uint32Array): MeasuredSplit => ({
    examples: on,
    subset,
    batches: measuringBatches(on, subset, {
      maxLength,
      batchSize: measuringBatchSize(experiment, microBatchSize),
    }),
  });
  const whole = (read: ExampleFacts | undefined, tokens = Infinity): MeasuredSplit | undefined => {
    if (read === undefined) return undefined;
    const own = cutExamples(read.examples, maxLength);
    let count = 0;
    while (count < own.count && (own.starts[count] ?? 0) < tokens) count++;
    return measured(
      own,
      Uint32Array.from({ length: count }, (_, index) => index),
    );
  };
  const data = {
    plan: batches,
    microBatchSize,
    train: { examples, counts: { tokens: counts.tokens * scale } },
    target,
    eval: split ? measured(examples, split.eval) : whole(found.eval),
    general: whole(found.general, experiment.eval.forgetting?.tokens),
  };
  return {
    steps: stepsOf(experiment, { plan: { stepsPerEpoch } }),
    stepsPerEpoch,
    microBatchSize,
    memory: planMemory(memoryInputs(experiment, setup, data, { vocabSize })),
    exact: complete,
  };
}

function setupOf(
  experiment: Experiment,
  view: ModelView,
  facts: Facts,
  outputs: HeadOutputs | undefined,
): Checked<ModelSetup> {
  const { config, tensors } = view.facts;
  const own: Model | undefined =
    outputs === undefined
      ? view.model
      : (readModel(config, "config.json", experiment.task, outputs).value ?? view.model);
  return planSetup(own ?? view.model, experiment, tensors, fullMatchOf(facts, view));
}

/** What a new classification head gives: the labels of the file, else of the data. */
function headOutputs(
  { task, data }: Experiment,
  found: ExampleFacts | undefined,
): HeadOutputs | undefined {
  if (task !== "sequence-classification") return undefined;
  if (data.problem_type === "regression" || found?.target?.kind === "number")
    return { labels: 1, target: "values" };
  const names = data.labels ?? (found?.target?.kind === "class" ? found.target.names : undefined);
  return names === undefined ? undefined : { labels: names.length, target: "classes" };
}

const identities = new WeakMap<object, number>();
let objects = 0;

/** A number that stands for an object in a key. */
function identityOf(of: object): number {
  const known = identities.get(of);
  if (known !== undefined) return known;
  objects += 1;
  identities.set(of, objects);
  return objects;
}

function keyOf(
  what: string,
  { task, data, method, quantization, train, eval: measuring }: Experiment,
  view: ModelView,
): string {
  const said = JSON.stringify([task, data, method, quantization, train, measuring]);
  return canonicalJson([what, identityOf(view.facts), said]);
}
