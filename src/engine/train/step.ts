/** @file One optimizer step: micro-batches, clipping, update; or the update within the backward pass, or without one. */
import { UserError, at, invariant } from "../../shared/errors.ts";
import type { ModelBatch } from "../network/batch.ts";
import type { Estimator } from "../network/estimator.ts";
import type { Optimizer, TakesBlock } from "../network/optimizer.ts";
import type { TrainBatch } from "../network/training.ts";
import type { ActiveBlocks } from "./active-blocks.ts";

export interface StepParts {
  readonly trainBatch: TrainBatch;
  readonly optimizer: Optimizer;
  /** Called before each micro-batch: dropout's random numbers follow from step and number. */
  readonly beginBatch: (step: number, microBatch: number) => void;
  /** What methods do around a step with gradients. */
  readonly controls?: StepControls | undefined;
  /** Gradients are scaled down to this norm; 0 leaves them. */
  readonly maxGradNorm: number;
  /** Whether each block's gradient is consumed in the backward pass. */
  readonly consumes?: boolean;
  /** Blocks that train at a step; all where not given. */
  readonly active?: Pick<ActiveBlocks, "at" | "updates"> | undefined;
  /** For rules that need no gradient: Σ losses of a batch, and the step by them. */
  readonly estimated?:
    | { readonly estimator: Estimator; readonly loss: (batch: ModelBatch) => Promise<number> }
    | undefined;
}

/** Each is told the step, from 1, and its learning rate. */
export type StepControls = Readonly<
  Record<"beforeStep" | "afterStep", (t: number, lr: number) => void>
> & {
  /** Tells the sum of the penalties whose gradients it added, if any. */
  readonly afterBackward: (t: number, lr: number) => number | undefined;
};

export interface StepResult {
  /** Mean over the step's targets: of the data alone. */
  readonly loss: number;
  /** What methods add to it for the gradient, such as a balance of experts; absent where they add nothing. */
  readonly penalty?: number;
  /** Before clipping; without gradients the size of the slope. */
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
  const targets = batches.reduce((sum, batch) => sum + targetCount(batch), 0);
  if (parts.estimated) return await estimatedStep(parts.estimated, batches, targets, t, lr);
  if (parts.consumes === true) return await consumedStep(parts, batches, targets, t, lr);
  const { optimizer, maxGradNorm, controls } = parts;
  controls?.beforeStep(t, lr);
  const { active } = parts;
  const blocks = active?.at(t);
  const takes: TakesBlock | undefined = blocks && ((block) => !block || blocks.has(block));
  optimizer.zeroGradients(takes);
  optimizer.addNoise(t);
  let total = 0;
  const penalties = newPenalties();
  for (const [index, batch] of batches.entries()) {
    parts.beginBatch(t, index);
    const onPenalty = penalties.add;
    total += await parts.trainBatch(batch, 1 / targets, { active: takes, onPenalty });
  }
  optimizer.removeNoise();
  penalties.add(controls?.afterBackward(t, lr));
  const loss = total / targets;
  const gradientNorm = await optimizer.gradientNorm(takes);
  checkFinite(t, loss, gradientNorm);
  const gradientScale = clipped(maxGradNorm, gradientNorm);
  const updates = active && ((block: string) => active.updates(t, block));
  await optimizer.step({ t, lr, gradientScale, takes, updates });
  controls?.afterStep(t, lr);
  return { loss, ...penalties.told(), gradientNorm };
}

/** Sums what methods add to the loss; tells nothing where they add nothing. */
function newPenalties() {
  let sum: number | undefined;
  return {
    add: (value: number | undefined): void => {
      if (value !== undefined) sum = (sum ?? 0) + value;
    },
    told: (): { readonly penalty?: number } => (sum === undefined ? {} : { penalty: sum }),
  };
}

/** Two backward passes where gradients are clipped: one for the norm, one that updates; else one. */
async function consumedStep(
  { optimizer, maxGradNorm, trainBatch, beginBatch, active }: StepParts,
  batches: readonly ModelBatch[],
  targets: number,
  t: number,
  lr: number,
): Promise<StepResult> {
  // The table of excluded pairs and the plan see to it.
  invariant(batches.length === 1, "gradients of several batches cannot be added up and used up");
  const batch = at(batches, 0);
  const blocks = active?.at(t);
  const updates = active && ((block: string) => active.updates(t, block));
  const pass = async (use: (takes: TakesBlock) => Promise<void>): Promise<StepResult> => {
    let squares = 0;
    const penalties = newPenalties();
    const consume = async (takes: TakesBlock): Promise<void> => {
      squares += (await optimizer.gradientNorm(takes)) ** 2;
      await use(takes);
      optimizer.zeroGradients(takes);
    };
    optimizer.zeroGradients();
    beginBatch(t, 0);
    const total = await trainBatch(batch, 1 / targets, {
      active: blocks && ((block) => blocks.has(block)),
      onPenalty: penalties.add,
      onGradients: (done) => consume((block) => block === done),
    });
    await consume((block) => block === undefined);
    const gradientNorm = Math.sqrt(squares);
    const result = { loss: total / targets, ...penalties.told(), gradientNorm };
    checkFinite(t, result.loss, result.gradientNorm);
    return result;
  };
  const measured = maxGradNorm > 0 ? await pass(() => Promise.resolve()) : undefined;
  const gradientScale = measured ? clipped(maxGradNorm, measured.gradientNorm) : 1;
  const updated = await pass((takes) => optimizer.step({ t, lr, gradientScale, takes, updates }));
  return measured ?? updated;
}

async function estimatedStep(
  { estimator, loss: lossOf }: NonNullable<StepParts["estimated"]>,
  batches: readonly ModelBatch[],
  targets: number,
  t: number,
  lr: number,
): Promise<StepResult> {
  const { loss, slope } = await estimator.step({
    t,
    lr,
    async loss() {
      let total = 0;
      for (const batch of batches) total += await lossOf(batch);
      return total / targets;
    },
  });
  checkFinite(t, loss, slope);
  return { loss, gradientNorm: Math.abs(slope) };
}

function clipped(maxGradNorm: number, norm: number): number {
  return maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1;
}

/** Rows of a batch that have a loss. */
function targetCount({ rows }: ModelBatch): number {
  return rows.length;
}

function checkFinite(t: number, loss: number, norm: number): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  throw new UserError({
    code: "training-diverged",
    message: `Step ${t} gave a loss of ${loss} and a gradient norm of ${norm}: the training has diverged.`,
    remedy:
      "Lower train.learning_rate, raise train.warmup_steps, or set train.max_grad_norm; the last checkpoint is unharmed.",
  });
}
