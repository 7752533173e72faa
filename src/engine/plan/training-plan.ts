/** @file How training examples become steps: what is set aside, how much is in memory at a time, which rows each step sees. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { BatchPlan, MicroBatch } from "../data/batches/batch-plan.ts";
import { optimizers, rowNamed } from "../catalog.ts";
import { planBatches } from "../data/batches/batch-plan.ts";
import type { Split } from "../data/batches/splits.ts";
import { splitExamples } from "../data/batches/splits.ts";
import type { Examples } from "../data/examples/example-store.ts";

/** Tokens of a micro-batch at most where the experiment leaves its size open. */
const autoTokens = 4096;

export interface TrainingPlan {
  /** Which examples are set aside for evaluation, where the experiment takes them from the training data. */
  readonly split: Split | undefined;
  readonly microBatchSize: number;
  readonly batches: BatchPlan;
}

/** `maxLength` is the longest row that experiment and model allow, `longest` the longest there is. */
export function planTraining(
  { data, train }: Pick<Experiment, "data" | "train">,
  examples: Examples,
  { maxLength, longest }: { readonly maxLength: number; readonly longest: number },
): TrainingPlan {
  const split =
    typeof data.eval === "object" && data.eval !== null
      ? splitExamples(examples.count, data.eval.share, data.eval.seed)
      : undefined;
  const microBatchSize = Math.min(
    train.micro_batch_size === "auto"
      ? fitting(train, data.packing ? maxLength : longest)
      : train.micro_batch_size,
    train.batch_size,
  );
  const batches = planBatches(examples, {
    subset: split?.train,
    batchSize: train.batch_size,
    microBatchSize,
    packing: data.packing,
    maxLength,
    shuffle: data.shuffle,
    groupByLength: train.group_by_length,
    seed: train.seed,
  });
  return { split, microBatchSize, batches };
}

/** As many rows as are to be in memory at a time; all, where gradients of several batches cannot be added up. */
function fitting({ optimizer, batch_size: whole }: Experiment["train"], length: number): number {
  const rule = rowNamed(optimizers, optimizer.type).bind(optimizer.config);
  return rule.gradients === "consumed" ? whole : Math.max(1, Math.floor(autoTokens / length));
}

/** The batches in which examples are measured on: all of them once, in order. */
export function measuringBatches(
  examples: Examples,
  subset: Uint32Array,
  { maxLength, batchSize }: { readonly maxLength: number; readonly batchSize: number },
): readonly MicroBatch[] {
  const plan = planBatches(examples, {
    subset,
    batchSize,
    microBatchSize: batchSize,
    packing: false,
    maxLength,
    shuffle: false,
    groupByLength: false,
    seed: 0,
  });
  return Array.from({ length: plan.stepsPerEpoch }, (_, index) => plan.step(index)).flat();
}

/** How many examples are measured on at a time. */
export function measuringBatchSize(
  { eval: { batch_size: size } }: Pick<Experiment, "eval">,
  microBatchSize: number,
): number {
  return size === "auto" ? microBatchSize : size;
}

/** `max_steps`, else as many as the epochs take, rounded up as in transformers. */
export function stepsOf(
  { train }: Pick<Experiment, "train">,
  { plan }: { readonly plan: Pick<BatchPlan, "stepsPerEpoch"> },
): number {
  return train.max_steps ?? Math.max(1, Math.ceil(train.num_train_epochs * plan.stepsPerEpoch));
}
