/** @file One optimizer step: micro-batches, clipping, update. */
import { UserError } from "../../shared/errors.ts";
import type { ModelBatch } from "../network/batch.ts";
import type { Optimizer } from "../network/optimizer.ts";
import type { TrainBatch } from "../network/training.ts";

export interface StepParts {
  readonly trainBatch: TrainBatch;
  readonly optimizer: Optimizer;
  /** Called before each micro-batch: dropout's random numbers follow from step and number. */
  readonly beginBatch: (step: number, microBatch: number) => void;
  /** Gradients are scaled down to this norm; 0 leaves them. */
  readonly maxGradNorm: number;
}

export interface StepResult {
  /** Mean over the step's targets. */
  readonly loss: number;
  /** Before clipping. */
  readonly gradientNorm: number;
}

/**
 * Trains on the micro-batches of step t (from 1). The loss is the mean over all targets of the step, however
 * they fall into micro-batches, as transformers' Trainer has it; clipping as PyTorch's `clip_grad_norm_`.
 */
export async function trainStep(
  parts: StepParts,
  batches: readonly ModelBatch[],
  t: number,
  lr: number,
): Promise<StepResult> {
  const { optimizer, maxGradNorm } = parts;
  optimizer.zeroGradients();
  const targets = batches.reduce((sum, batch) => sum + targetCount(batch), 0);
  let total = 0;
  for (const [index, batch] of batches.entries()) {
    parts.beginBatch(t, index);
    total += await parts.trainBatch(batch, 1 / targets);
  }
  const loss = total / targets;
  const gradientNorm = await optimizer.gradientNorm();
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm))
    throw diverged(t, loss, gradientNorm);
  const gradientScale = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (gradientNorm + 1e-6)) : 1;
  await optimizer.step({ t, lr, gradientScale });
  return { loss, gradientNorm };
}

/** Rows of a batch that have a loss. */
function targetCount({ rows }: ModelBatch): number {
  return rows.length;
}

function diverged(t: number, loss: number, norm: number): UserError {
  return new UserError({
    code: "training-diverged",
    message: `Step ${t} gave a loss of ${loss} and a gradient norm of ${norm}: the training has diverged.`,
    remedy:
      "Lower train.learning_rate, raise train.warmup_steps, or set train.max_grad_norm; the last checkpoint is unharmed.",
  });
}
