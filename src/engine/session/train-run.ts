/** @file A prepared run, from the first step to the exported adapter. */
import { resourceUsage } from "node:process";
import type { EventBody, Metrics, RunSummary, Scores, Split } from "../../shared/protocol.ts";
import type { Choice } from "../../shared/schema.ts";
import { optimizers, rowNamed } from "../catalog.ts";
import { createOptimizer } from "../network/optimizer.ts";
import { createTrainer } from "../network/training.ts";
import { createOrtBackend } from "../runtime/ort.ts";
import { loadCheckpoint, pruneCheckpoints, saveCheckpoint } from "../runs/checkpoints.ts";
import { isScheduleName } from "../schedules/learning-rate.ts";
import { runLoop } from "../train/loop.ts";
import type { RunState } from "../train/run-state.ts";
import { checkpointBytes, firstState, parseRunState, readTensors, readWeights, writeTensors } from "../train/run-state.ts";
import { invariant } from "../../shared/errors.ts";
import { randomNumbers } from "./draw.ts";
import { evaluate } from "./evaluate.ts";
import { exportRun } from "./export-run.ts";
import { openNetwork } from "./open-network.ts";
import type { PreparedRun } from "./prepare-run.ts";
import type { EvaluationData } from "./run-data.ts";

export interface RunHost {
  readonly runFolder: string;
  /** Folder of the checkpoint to go on from. */
  readonly checkpoint: string | undefined;
  readonly emit: (event: EventBody) => void;
  /** Resolves when a finished checkpoint may take its name. */
  readonly approve: () => Promise<void>;
  readonly requested: () => "stop" | "checkpoint" | undefined;
}

export async function trainRun(prepared: PreparedRun, host: RunHost): Promise<RunSummary> {
  const { experiment, opened, setup, data, tokenizer, steps, device } = prepared;
  const { emit } = host;
  const backend = await createOrtBackend({ device: device.chosen, ...(device.threads === undefined ? {} : { threads: device.threads }) });
  const rule = rowNamed(optimizers, experiment.train.optimizer.type).bind(experiment.train.optimizer.config);
  const random = randomNumbers(experiment.train.seed);
  const { context, parameters, base } = await openNetwork({
    backend,
    setup,
    source: opened.source,
    states: rule.state,
    checkpointing: experiment.train.gradient_checkpointing,
    draw: random.start,
    drawMask: random.mask,
    onProgress: (done, total) => {
      emit({ type: "progress", phase: "loading", done, total });
    },
  });
  await opened.source.close();

  let state = firstState;
  if (host.checkpoint !== undefined) {
    const step = Number(/step-(\d+)$/.exec(host.checkpoint)?.[1]);
    const { value } = await loadCheckpoint(host.runFolder, step);
    invariant(value, "the checkpoint to go on from is damaged");
    state = parseRunState(value.state);
    await readTensors(value.folder, parameters, rule.state);
  }

  const measureSplit = async (split: Split, on: EvaluationData, metrics: readonly Choice[], moment: "before" | "during" | "after", at: RunState): Promise<Metrics> => {
    const started = performance.now();
    const onProgress = (done: number, total: number): void => {
      emit({ type: "progress", phase: "evaluating", done, total });
    };
    const measured = await evaluate({ context, tokenizer, onProgress }, on, metrics);
    emit({ type: "eval", split, moment, step: at.step, epoch: at.step / data.plan.stepsPerEpoch, metrics: measured, examples: on.subset.length, seconds: (performance.now() - started) / 1000 });
    return measured;
  };
  const metrics = experiment.eval.metrics ?? [];
  const evalData = data.eval;
  const schedule = experiment.train.lr_scheduler_type.type;
  invariant(isScheduleName(schedule), `there is no schedule ${schedule}`);

  const result = await runLoop(
    {
      experiment,
      schedule,
      steps,
      stepsPerEpoch: data.plan.stepsPerEpoch,
      parameters,
      optimizer: createOptimizer(backend, context.cache, parameters, rule),
      trainBatch: createTrainer(context),
      maxGradNorm: experiment.train.max_grad_norm,
      batchesOf: data.batchesOf,
      beginBatch: random.begin,
      measure: evalData && ((at, moment) => measureSplit("eval", evalData, metrics, moment, at)),
      async save(at, reason) {
        const started = performance.now();
        const bytes = await saveCheckpoint(host.runFolder, {
          step: at.step,
          bytes: checkpointBytes(parameters, rule.state),
          state: at,
          write: (folder) => writeTensors(folder, parameters, rule.state),
          beforeRename: host.approve,
        });
        const seconds = (performance.now() - started) / 1000;
        emit({ type: "checkpoint", step: at.step, folder: `checkpoints/step-${at.step}`, bytes, seconds, reason, best: at.best?.step === at.step });
        await pruneCheckpoints(host.runFolder, experiment.checkpoints.keep, at.best?.step);
      },
      emit,
      requested: host.requested,
      now: () => performance.now(),
      memoryBytes: () => process.memoryUsage.rss(),
    },
    state,
  );
  let after = result.state.evalLast;
  if (result.status === "finished") {
    const best = result.state.best?.step;
    if (experiment.eval.early_stop !== null && best !== undefined && best !== result.state.step)
      await readWeights(`${host.runFolder}/checkpoints/step-${best}`, parameters);
    after = await finalMeasures(prepared, measureSplit, result.state) ?? after;
  }
  const trained = {
    setup,
    backend,
    parameters,
    base,
    reference: opened.resolved,
    storedType: (name: string) => opened.source.tensors.get(name)?.dtype,
    labels: data.target?.kind === "class" ? data.target.names : undefined,
  };
  await exportRun(experiment, trained, host.runFolder, emit);
  const { evalBefore } = result.state;
  return {
    status: result.status,
    steps: result.state.step,
    ...(result.state.lossSteps > 0 ? { trainLoss: result.state.lossSum / result.state.lossSteps } : {}),
    ...(evalBefore ? { evalBefore: scoresOf(evalBefore) } : {}),
    ...(after ? { evalAfter: scoresOf(after) } : {}),
    trainableParameters: setup.trainableParameters,
    // Kilobytes on every platform, as libuv reports them.
    peakMemoryBytes: resourceUsage().maxRSS * 1024,
    tokensPerSecond: result.tokensPerSecond,
  };
}

type MeasureSplit = (split: Split, on: EvaluationData, metrics: readonly Choice[], moment: "before" | "during" | "after", at: RunState) => Promise<Metrics>;

/** The test data are read here, once, after the last step. */
async function finalMeasures({ experiment, data }: PreparedRun, measure: MeasureSplit, state: RunState): Promise<Metrics | undefined> {
  if (experiment.data.test === null) return undefined;
  const test = await data.open(experiment.data.test);
  const metrics = [...(experiment.eval.metrics ?? []), ...experiment.eval.final];
  return measure("test", test, metrics, "after", state);
}

/** What machines get: the loss, its perplexity, and the task's own score where there is one. */
function scoresOf(metrics: Metrics): Scores {
  const score = metrics["exact_match"] ?? metrics["accuracy"] ?? metrics["matthews"] ?? metrics["pearson"];
  return {
    loss: metrics["loss"] ?? NaN,
    ...(metrics["perplexity"] === undefined ? {} : { perplexity: metrics["perplexity"] }),
    ...(score === undefined ? {} : { score }),
  };
}
