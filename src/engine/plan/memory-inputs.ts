/** @file What a run will hold, as the memory plan takes it. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { optimizers, rowNamed } from "../catalog.ts";
import type { ModelSetup } from "../session/set-up.ts";
import type { MemoryInputs } from "./plan-memory.ts";

/** What the plan needs of a run's data. */
export interface PlannedData {
  readonly plan: { readonly buckets: readonly number[] };
  readonly microBatchSize: number;
  readonly train: { readonly counts: { readonly tokens: number; readonly trainedTokens: number } };
  readonly target: { readonly kind: "class" | "number" } | undefined;
  /** Present where the run measures. */
  readonly eval: object | undefined;
}

export function memoryInputs(
  experiment: Pick<Experiment, "data" | "train">,
  setup: ModelSetup,
  data: PlannedData,
  tokenizer: { readonly vocabSize: number },
): MemoryInputs {
  const { train } = experiment;
  const causal = setup.model.task === "causal-lm";
  const shapes = data.plan.buckets.map((length) => ({
    batch: data.microBatchSize,
    length,
    ownPositions: experiment.data.packing,
    bias: experiment.data.packing
      ? ("full" as const)
      : causal
        ? ("none" as const)
        : ("keys" as const),
  }));
  const { counts } = data.train;
  const share = causal ? counts.trainedTokens / counts.tokens : 0;
  const rows = data.microBatchSize * Math.max(...data.plan.buckets);
  return {
    model: setup.model,
    setups: [...setup.setups.values()],
    rule: rowNamed(optimizers, train.optimizer.type).bind(train.optimizer.config),
    trained: setup.trained,
    checkpointing: train.gradient_checkpointing,
    shapes,
    targetRows: causal ? Math.ceil(rows * Math.min(1, 1.2 * share)) : data.microBatchSize,
    target: data.target?.kind === "number" ? "values" : "classes",
    measures: data.eval !== undefined,
    dataBytes: 5 * counts.tokens + 40 * tokenizer.vocabSize,
  };
}
