/** @file About how long a prepared run will take on the CPU; generated completions and the test data are left out. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { MicroBatch } from "../data/batches/batch-plan.ts";
import { estimateSeconds } from "../plan/plan-time.ts";
import { timesDue } from "../train/due.ts";
import type { RunData } from "./run-data.ts";
import type { ModelSetup } from "./set-up.ts";

/** The first steps stand for all: they are a random choice of the data. */
const stepsLookedAt = 20;

/** Seconds, at so many operations a second. */
export function estimateRun(
  { train, eval: evaluation }: Experiment,
  setup: ModelSetup,
  data: RunData,
  steps: number,
  rate: number,
): number {
  const { plan } = data;
  const looked = Math.min(steps, plan.stepsPerEpoch, stepsLookedAt);
  const batches = Array.from({ length: looked }, (_, step) => plan.step(step)).flat();
  const perStep = (total: number): number => (total / looked) * steps;
  const { tokens, trainedTokens } = data.train.counts;
  const causal = setup.model.task === "causal-lm";
  const evalTokens = paddedTokens(data.eval?.batches ?? []);
  const measurements =
    (evaluation.eval_on_start ? 1 : 0) + timesDue(evaluation.every, steps, plan.stepsPerEpoch);
  const inputs = {
    model: setup.model,
    setups: [...setup.setups.values()],
    checkpointing: train.gradient_checkpointing,
    tokens: perStep(paddedTokens(batches)),
    length: Math.max(...plan.buckets),
    targetShare: causal ? trainedTokens / tokens : 1 / Math.max(...plan.buckets),
    measuredTokens: evalTokens * measurements,
  };
  return estimateSeconds(inputs, rate, perStep(batches.length));
}

function paddedTokens(batches: readonly MicroBatch[]): number {
  return batches.reduce((sum, { rows, sequenceLength }) => sum + rows.length * sequenceLength, 0);
}
