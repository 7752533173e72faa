/** @file The training loop: steps, measurements, checkpoints, early stop, and an end that can be resumed from. */
import type { EventBody, Metrics, Outcome } from "../../shared/protocol.ts";
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import { metricName } from "../../shared/experiment/fill.ts";
import type { ModelBatch } from "../network/batch.ts";
import { learningRateFactor, warmupSteps } from "../schedules/learning-rate.ts";
import type { ScheduleName } from "../schedules/learning-rate.ts";
import { isDue } from "./due.ts";
import type { RunState } from "./run-state.ts";
import type { StepParts } from "./step.ts";
import { trainStep } from "./step.ts";

/** The micro-batches of a step with what counts them. */
export interface StepBatches {
  readonly batches: readonly ModelBatch[];
  /** Tokens that are no padding. */
  readonly tokens: number;
}

export interface LoopParts extends StepParts {
  readonly experiment: Pick<Experiment, "train" | "eval" | "checkpoints">;
  readonly schedule: ScheduleName;
  readonly steps: number;
  readonly stepsPerEpoch: number;
  /** Steps in which the learning rate stays as it is; 1 where not given. */
  readonly cycle?: number | undefined;
  /** The same batches for the same step, whatever came before. */
  readonly batchesOf: (step: number) => StepBatches;
  /** Metrics on `data.eval`; undefined without such data. */
  readonly measure:
    ((state: RunState, moment: "before" | "during" | "after") => Promise<Metrics>) | undefined;
  /** Metrics on general text; undefined where forgetting is not measured. */
  readonly measureGeneral: ((state: RunState) => Promise<Metrics>) | undefined;
  readonly save: (
    state: RunState,
    reason: "schedule" | "request" | "stop" | "end",
  ) => Promise<void>;
  /** Looks into the weights after a step, where that is due. */
  readonly look?: ((state: RunState) => Promise<void>) | undefined;
  readonly emit: (event: EventBody) => void;
  readonly requested: () => "stop" | "checkpoint" | undefined;
  readonly now: () => number;
  readonly memoryBytes: () => number;
}

export interface LoopResult {
  readonly status: Outcome;
  readonly state: RunState;
  /** Σ tokens / Σ seconds of this attempt's steps. */
  readonly tokensPerSecond: number;
}

/** Runs from a state to the last step, an early stop or a request to stop. */
export async function runLoop(parts: LoopParts, from: RunState): Promise<LoopResult> {
  const { experiment, steps, stepsPerEpoch, emit, measure } = parts;
  const { train, eval: evaluation, checkpoints } = experiment;
  const warmup = warmupSteps(train.warmup_steps, steps);
  let state = from;
  let saved = state.step > 0 ? state.step : -1;
  let seconds = 0;
  let tokens = 0;
  const save = async (reason: "schedule" | "request" | "stop" | "end"): Promise<void> => {
    if (saved === state.step) return;
    await parts.save(state, reason);
    saved = state.step;
  };
  const result = (status: Outcome): LoopResult => ({
    status,
    state,
    tokensPerSecond: seconds > 0 ? tokens / seconds : 0,
  });

  if (state.step === 0 && state.evalBefore === null && measure && evaluation.eval_on_start)
    state = { ...state, evalBefore: await measure(state, "before") };
  if (state.step === 0 && parts.measureGeneral)
    state = { ...state, generalBefore: await parts.measureGeneral(state) };

  // A run that is resumed after it stopped early has nothing more to do.
  while (state.step < steps && !stopsEarly(state, evaluation)) {
    const t = state.step + 1;
    const started = parts.now();
    const { cycle = 1 } = parts;
    const scheduled = Math.floor((t - 1) / cycle) * cycle;
    const lr = train.learning_rate * learningRateFactor(parts.schedule, scheduled, steps, warmup);
    const { batches, tokens: stepTokens } = parts.batchesOf(t);
    const { loss, penalty, gradientNorm } = await trainStep(parts, batches, t, lr);
    const took = (parts.now() - started) / 1000;
    seconds += took;
    tokens += stepTokens;
    state = {
      ...state,
      step: t,
      lossSum: state.lossSum + loss,
      lossSteps: state.lossSteps + 1,
      tokens: state.tokens + stepTokens,
    };
    emit({
      type: "step",
      step: t,
      epoch: t / stepsPerEpoch,
      loss,
      lr,
      gradNorm: gradientNorm,
      ...(penalty === undefined ? {} : { metrics: { penalty } }),
      tokens: stepTokens,
      tokensPerSecond: stepTokens / Math.max(took, 1e-6),
      seconds: took,
      memoryBytes: parts.memoryBytes(),
    });

    if (measure && isDue(evaluation.every, t, steps, stepsPerEpoch))
      state = judged(state, await measure(state, t === steps ? "after" : "during"), evaluation);
    await parts.look?.(state);
    const request = parts.requested();
    if (request === "stop" && t < steps) {
      await save("stop");
      return result("stopped");
    }
    if (request === "checkpoint") await save("request");
    if (stopsEarly(state, evaluation)) {
      emit({
        type: "log",
        level: "info",
        message: `Stopped early at step ${t}: ${evaluation.early_stop?.metric ?? "the metric"} has not improved ${state.sinceBest} times.`,
      });
      break;
    }
    const isBest = state.best?.step === t;
    if (t < steps && (isBest || isDue(checkpoints.every, t, steps, stepsPerEpoch)))
      await save("schedule");
  }
  await save("end");
  return result("finished");
}

/** The state with a measurement: whether it is the best so far. */
function judged(state: RunState, metrics: Metrics, evaluation: Experiment["eval"]): RunState {
  const { metric, mode } = evaluation.early_stop ?? evaluation.best;
  const delta = evaluation.early_stop?.min_delta ?? 0;
  const value = metrics[metricName(metric)];
  if (value === undefined) return { ...state, evalLast: metrics };
  const gain =
    state.best === null
      ? Infinity
      : mode === "max"
        ? value - state.best.value
        : state.best.value - value;
  const improved = gain > delta;
  return {
    ...state,
    evalLast: metrics,
    best: improved ? { step: state.step, value } : state.best,
    sinceBest: improved ? 0 : state.sinceBest + 1,
  };
}

function stopsEarly(state: RunState, { early_stop: stop }: Experiment["eval"]): boolean {
  return stop !== null && state.sinceBest >= stop.patience;
}
