/** @file What a run will hold, as the memory plan takes it. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Choice } from "../../shared/schema.ts";
import { optimizers, rowNamed } from "../catalog.ts";
import type { BatchPlan, MicroBatch } from "../data/batches/batch-plan.ts";
import type { Examples } from "../data/examples/example-store.ts";
import { newTokensFor } from "../metrics/table.ts";
import { beforeWords } from "../network/virtual-tokens.ts";
import type { ModelSetup } from "../session/set-up.ts";
import { activeBlocks } from "../train/active-blocks.ts";
import { batchShapes, generationShapes } from "./batch-shapes.ts";
import type { MemoryInputs } from "./plan-memory.ts";
import { measuringBatches, measuringBatchSize, stepsOf } from "./training-plan.ts";

/** A split that is measured on, as far as it is known before the run. */
export interface MeasuredSplit {
  readonly examples: Examples;
  readonly subset: Uint32Array;
  readonly batches: readonly MicroBatch[];
}

/** What the plan needs of a run's data. */
export interface PlannedData {
  readonly plan: Pick<BatchPlan, "buckets" | "stepsPerEpoch" | "step">;
  readonly microBatchSize: number;
  readonly train: {
    readonly examples: Examples;
    readonly counts: { readonly tokens: number };
  };
  readonly target: { readonly kind: "class" | "number" } | undefined;
  readonly eval: MeasuredSplit | undefined;
  readonly general: MeasuredSplit | undefined;
}

/** So many steps are looked at for the shapes of their batches: few are met only later. */
const stepsLookedAt = 4096;

/** So many examples stand for test data, which nobody reads before the last step. */
const testExamples = 1024;

export function memoryInputs(
  experiment: Pick<Experiment, "data" | "train" | "eval">,
  setup: ModelSetup,
  data: PlannedData,
  tokenizer: { readonly vocabSize: number },
): MemoryInputs {
  const { train, data: fields } = experiment;
  const { model } = setup;
  const { tokens: virtual } = beforeWords(setup.setups.values());
  const { examples, counts } = data.train;
  const steps = Math.min(stepsOf(experiment, data), data.plan.stepsPerEpoch, stepsLookedAt);
  const batches = Array.from({ length: steps }, (_, step) => data.plan.step(step)).flat();
  const splits = measurements(experiment, model.sizes.maxLength, data);
  const tokens = splits.reduce((sum, { split }) => sum + split.examples.ids.length, counts.tokens);
  return {
    model,
    setups: [...setup.setups.values()],
    rule: rowNamed(optimizers, train.optimizer.type).bind(train.optimizer.config),
    trained: setup.trained,
    checkpointing: train.gradient_checkpointing,
    turns: turnsOf(train.active_layers, setup, steps),
    batches: batchShapes(model, examples, batches, fields.packing),
    measured: splits.flatMap(({ split }) =>
      batchShapes(model, split.examples, split.batches, false),
    ),
    generated: splits.flatMap(({ split, metrics }) => {
      const newTokens = newTokensFor(metrics);
      if (newTokens === undefined) return [];
      return generationShapes(model, split.examples, split.subset, newTokens, virtual);
    }),
    target: data.target?.kind === "number" ? "values" : "classes",
    dataBytes: 5 * tokens + 40 * tokenizer.vocabSize,
  };
}

/** The sets of blocks that train in the steps, each once, as if draws were in order: the others are of the same kind. */
function turnsOf(
  choice: Choice | null,
  { model, trained }: ModelSetup,
  steps: number,
): readonly ReadonlySet<string>[] | undefined {
  const inOrder = (_draw: number, count: number): readonly number[] => [...Array(count).keys()];
  const active = activeBlocks(choice, model.blocks, trained, inOrder);
  if (!active) return undefined;
  const turns = Array.from({ length: steps }, (_, step) => active.at(step + 1));
  return [...new Map(turns.map((turn) => [[...turn].toSorted().join(), turn])).values()];
}

/** Everything that the run measures, and by what. */
function measurements(
  experiment: Pick<Experiment, "data" | "train" | "eval">,
  modelLength: number,
  data: PlannedData,
): readonly { readonly split: MeasuredSplit; readonly metrics: readonly Choice[] }[] {
  const { metrics: chosen, final } = experiment.eval;
  const metrics = chosen ?? [];
  const unread = (): MeasuredSplit => {
    const { examples } = data.train;
    const count = Math.min(testExamples, examples.count);
    const subset = Uint32Array.from({ length: count }, (_, index) => index);
    const batches = measuringBatches(examples, subset, {
      maxLength: Math.min(experiment.data.max_length, modelLength),
      batchSize: measuringBatchSize(experiment, data.microBatchSize),
    });
    return { examples, subset, batches };
  };
  return [
    ...(data.eval ? [{ split: data.eval, metrics }] : []),
    ...(data.general ? [{ split: data.general, metrics: [] }] : []),
    ...(experiment.data.test === null
      ? []
      : [{ split: data.eval ?? unread(), metrics: [...metrics, ...final] }]),
  ];
}
