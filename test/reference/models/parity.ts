/** @file Runs a fixture's model on a backend, and says how far its numbers are from PyTorch's. */
import assert from "node:assert/strict";
import type { Model } from "../../../src/engine/models/architecture.ts";
import { readModel } from "../../../src/engine/models/registry.ts";
import type { ModelBatch } from "../../../src/engine/network/batch.ts";
import { logitsOf, scoresOf } from "../../../src/engine/network/inference.ts";
import { adamw } from "../../../src/engine/optimizers/adamw.ts";
import type { BoundRule } from "../../../src/engine/optimizers/define.ts";
import type { Backend } from "../../../src/engine/runtime/backend.ts";
import { at } from "../../../src/shared/errors.ts";
import { buildNetwork, scoredRows, stored, trainSteps } from "../../support/network.ts";
import type { NetworkParts, TestNetwork, TrainingRun } from "../../support/network.ts";
import { filled } from "../deterministic.ts";
import type { Fill } from "../deterministic.ts";
import { modelBatch } from "./batches.ts";
import type { Fixture, Forward, Gradients, Summary, Training } from "./fixture.ts";

/** Largest relative errors, by what was measured. */
export type Errors = Readonly<Record<string, number>>;

/** A fifth of what is promised, 1e-4 for a forward pass and 1e-3 for training, or less: errors are near 1e-6. */
export const limits: Errors = {
  logits: 2e-5,
  loss: 2e-5,
  gradients: 1e-4,
  gradientNorm: 1e-4,
  trainingLosses: 1e-4,
  trainingNorms: 1e-4,
};

/** Fails where an error is over its limit, and says all. */
export function assertWithin(errors: Errors): string {
  const text = Object.entries(errors).map(([name, error]) => `${name} ${error.toExponential(1)}`);
  for (const [name, error] of Object.entries(errors))
    assert(error <= (limits[name] ?? 0), `${name} is over its limit: ${text.join(", ")}`);
  return text.join(", ");
}

export type Variant = "base" | "full" | "lora" | "rslora";

export interface ParityCase {
  readonly fixture: Fixture;
  readonly model: Model;
  /** A new network in its first state. */
  build(variant: Variant): TestNetwork;
  batch(index: number, choice: "scored" | "real"): ModelBatch;
}

export type CaseOptions = Pick<NetworkParts, "checkpointing" | "storage">;

export function parityCase(
  fixture: Fixture,
  backend: Backend,
  options: CaseOptions = {},
): ParityCase {
  const { value: model, findings } = readModel(fixture.config, "config.json", fixture.task);
  assert(model, JSON.stringify(findings));
  const read = reader([...fixture.tensors, ...fixture.lora.tensors]);
  return {
    fixture,
    model,
    build(variant) {
      const training = trainingOf(variant);
      return buildNetwork({ backend, model, read, training, optimizer: rule(fixture), ...options });
    },
    batch: (index, choice) => modelBatch(model, at(fixture.batches, index), choice),
  };
}

/** Logits and loss of the first batch. */
export async function forwardErrors(
  parity: ParityCase,
  variant: Variant,
  expected: Forward,
): Promise<Errors> {
  const { context } = parity.build(variant);
  const logits = await logitsOf(context, parity.batch(0, "real"));
  const scored = parity.batch(0, "scored");
  const { losses } = await scoresOf(context, scored);
  const loss = losses.reduce((sum, value) => sum + value, 0) / scoredRows(scored);
  return {
    logits: largestError(logits, expected.logits.flat(2)),
    loss: Math.abs(loss / expected.loss - 1),
  };
}

/** Gradients on the first batch. */
export async function gradientErrors(
  parity: ParityCase,
  variant: Variant,
  expected: Gradients,
): Promise<Errors> {
  const network = parity.build(variant);
  const batch = parity.batch(0, "scored");
  await network.train(batch, 1 / scoredRows(batch));
  const tensors = new Map(
    parity.model.blocks.flatMap((block) => block.tensors.map((tensor) => [tensor.source, tensor])),
  );
  // A key's bias shifts all scores of a query alike: its gradient is 0, and both sides hold noise.
  const noise = 1e-7 * expected.norm;
  const errors = expected.parameters.map((summary) => {
    const name = parameterOf(summary.name);
    const { gradient } = network.parameters.get(name);
    if (summary.norm < noise) return Math.hypot(...gradient) < noise ? 0 : Infinity;
    return summaryError(stored(tensors.get(name), gradient), summary);
  });
  assert.equal(network.parameters.all.size, expected.parameters.length);
  return {
    gradients: Math.max(...errors),
    gradientNorm: Math.abs((await network.optimizer.gradientNorm()) / expected.norm - 1),
  };
}

/** Ten steps. */
export async function trainingErrors(
  parity: ParityCase,
  variant: Variant,
  expected: Training,
): Promise<Errors> {
  const run = await train(parity, variant);
  return {
    trainingLosses: largestRatioError(run.losses, expected.losses),
    trainingNorms: largestRatioError(run.gradientNorms, expected.gradientNorms),
  };
}

function train(parity: ParityCase, variant: Variant): Promise<TrainingRun> {
  const { fixture } = parity;
  const batches = fixture.batches.map((_, index) => parity.batch(index, "scored"));
  const { learningRate: lr, maxGradNorm } = fixture.optimizer;
  return trainSteps(parity.build(variant), batches, { steps: 10, lr, maxGradNorm });
}

/** Largest difference, relative to the largest expected number. */
export function largestError(made: ArrayLike<number>, expected: readonly number[]): number {
  assert.equal(made.length, expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, index) => Math.abs(at(made, index) - value))) / scale;
}

/** How far a tensor is from its summary, relative to its own size. */
export function summaryError(values: Float32Array, expected: Summary): number {
  const norm = Math.hypot(...values);
  const sum = values.reduce((total, value) => total + value, 0);
  const largest = Math.max(...expected.values.map(Math.abs));
  const elements = expected.indices.map(
    (place, index) => Math.abs(at(values, place) - at(expected.values, index)) / largest,
  );
  return Math.max(
    Math.abs(norm - expected.norm) / expected.norm,
    // A sum of n elements of either sign can be far smaller than they are.
    Math.abs(sum - expected.sum) / (expected.norm * Math.sqrt(values.length)),
    ...elements,
  );
}

function largestRatioError(made: readonly number[], expected: readonly number[]): number {
  assert.equal(made.length, expected.length);
  return Math.max(...expected.map((value, index) => Math.abs(at(made, index) / value - 1)));
}

function trainingOf(variant: Variant): NetworkParts["training"] {
  if (variant === "base") return { kind: "none" };
  if (variant === "full") return { kind: "full" };
  return { kind: "lora", lora: { r: 4, alpha: 8, use_rslora: variant === "rslora" } };
}

function rule({ optimizer }: Fixture): BoundRule {
  const { betas, eps, weightDecay } = optimizer;
  return adamw.bind({ betas, eps, weight_decay: weightDecay });
}

/** Finds a tensor by the engine's name and makes it from the formula. */
function reader(fills: readonly Fill[]): NetworkParts["read"] {
  const byName = new Map(fills.map((fill) => [parameterOf(fill.name), fill]));
  return (name) => {
    const fill = byName.get(name);
    assert(fill, `the fixture has no ${name}`);
    return filled(fill);
  };
}

/** The engine's name of a tensor in a checkpoint or an adapter: a factor is its module with `#A` or `#B`. */
function parameterOf(name: string): string {
  return name.replace(/^base_model\.model\./u, "").replace(/\.lora_([AB])\.weight$/u, "#$1");
}

/** Everything that a fixture holds, under the limits; `report` gets a line for each part. */
export async function assertParity(
  fixture: Fixture,
  backend: Backend,
  report: (line: string) => void,
  options: CaseOptions = {},
): Promise<void> {
  const parity = parityCase(fixture, backend, options);
  const asSaved = parityCase({ ...fixture, config: fixture.configAsSaved }, backend, options);
  const { full, lora } = fixture;
  const check = async (part: string, errors: Promise<Errors>): Promise<void> =>
    report(`${fixture.name} ${part}: ${assertWithin(await errors)}`);
  await check("base", forwardErrors(parity, "base", fixture.forward));
  await check("base, config as saved", forwardErrors(asSaved, "base", fixture.forward));
  await check("LoRA", forwardErrors(parity, "lora", lora.forward));
  await check("LoRA", gradientErrors(parity, "lora", lora.gradients));
  await check("LoRA", trainingErrors(parity, "lora", lora.training));
  await check("rsLoRA", trainingErrors(parity, "rslora", lora.trainingRsLora));
  if (!full) return;
  const { parameters } = parity.build("full");
  for (const { name, decays } of fixture.tensors)
    assert.equal(parameters.get(name).decays, decays, `weight decay of ${name}`);
  await check("full", gradientErrors(parity, "full", full.gradients));
  await check("full", trainingErrors(parity, "full", full.training));
}
