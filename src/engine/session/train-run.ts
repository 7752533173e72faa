/** @file A prepared run, from the first step to the exported adapter. */
import { lazyLinalg } from "../runtime/linalg.ts";
import { join } from "node:path";
import { resourceUsage } from "node:process";
import type { EventBody, Metrics, RunSummary, Scores, Split } from "../../shared/protocol.ts";
import type { Choice } from "../../shared/schema.ts";
import { optimizers, rowNamed } from "../catalog.ts";
import { resultsPath, writeResults } from "../metrics/results-file.ts";
import { openOptimizer } from "../network/device-optimizer.ts";
import { createEstimator } from "../network/estimator.ts";
import { scoresOf as lossesOf } from "../network/inference.ts";
import { createTrainer } from "../network/training.ts";
import type { Backend } from "../runtime/backend.ts";
import { createOrtBackend } from "../runtime/ort.ts";
import { ensureFreeSpace } from "../runs/atomic.ts";
import { pruneCheckpoints, saveCheckpoint } from "../runs/checkpoints.ts";
import { isScheduleName } from "../schedules/learning-rate.ts";
import { activeBlocks } from "../train/active-blocks.ts";
import { runLoop } from "../train/loop.ts";
import type { RunState } from "../train/run-state.ts";
import { checkpointBytes, readWeights, writeTensors } from "../train/run-state.ts";
import { invariant } from "../../shared/errors.ts";
import type { RandomNumbers } from "./draw.ts";
import { randomNumbers } from "./draw.ts";
import { createControls } from "./controls.ts";
import type { StepControls } from "../train/step.ts";
import { carryWeights } from "../network/carried-weights.ts";
import type { CarriedWeights } from "../network/carried-weights.ts";
import { evaluate } from "./evaluate.ts";
import { exportRun } from "./export-run.ts";
import { looksOf } from "./look-during-run.ts";
import type { OpenNetwork } from "./open-network.ts";
import { openNetwork } from "./open-network.ts";
import type { PreparedRun } from "./prepare-run.ts";
import { matchMs } from "./prepare-run.ts";
import type { BoundRule } from "../optimizers/define.ts";
import { createFullMatch, createLastGroup } from "./python-regex.ts";
import type { EvaluationData } from "./run-data.ts";
import { startFromAdapters } from "./start-from-adapter.ts";
import type { StartedRun } from "./start-run.ts";
import { startRun } from "./start-run.ts";
import { storedTensor } from "../models/stored-tensor.ts";

export interface RunHost {
  readonly runFolder: string;
  /** Folder of the checkpoint to go on from. */
  readonly checkpoint: string | undefined;
  readonly emit: (event: EventBody) => void;
  /** Resolves when a finished checkpoint may take its name. */
  readonly approve: () => Promise<void>;
  readonly requested: () => "stop" | "checkpoint" | undefined;
}

/** A prepared run with its weights in memory; its source is open until {@link trainRun} has started the tensors. */
export interface LoadedRun extends PreparedRun, OpenNetwork {
  readonly backend: Backend;
  readonly random: RandomNumbers;
}

/** Reads and checks the weights: the last of the input that can be wrong. `beforeRun` may throw to end the work. */
export async function loadRun(
  prepared: PreparedRun,
  emit: (event: EventBody) => void,
  beforeRun: () => void,
): Promise<LoadedRun> {
  const { experiment, opened, setup, device } = prepared;
  const backend = await createOrtBackend({
    device: device.chosen,
    threads: device.threads,
    beforeRun,
  });
  const random = randomNumbers(experiment.train.seed);
  const network = await openNetwork({
    backend,
    setup,
    source: opened.source,
    layout: optimizerOf(experiment),
    byBlock: experiment.train.active_layers !== null,
    checkpointing: experiment.train.gradient_checkpointing,
    draw: random.start,
    drawMask: random.mask,
    onProgress: (done, total) => {
      emit({ type: "progress", phase: "loading", done, total });
    },
  });
  const findings = await startFromAdapters(
    experiment.method,
    opened.source,
    setup,
    network.parameters,
    createFullMatch(matchMs),
  );
  for (const finding of findings) emit({ type: "finding", finding });
  return { ...prepared, ...network, backend, random };
}

function optimizerOf({ train }: PreparedRun["experiment"]): BoundRule {
  return rowNamed(optimizers, train.optimizer.type).bind(train.optimizer.config);
}

/** Starts a loaded run, or takes up its checkpoint, and trains it to its end. */
export async function trainRun(loaded: LoadedRun, host: RunHost): Promise<RunSummary> {
  return trainStarted(await startRun(loaded, host), host);
}

export async function trainStarted(started: StartedRun, host: RunHost): Promise<RunSummary> {
  const {
    experiment,
    opened,
    setup,
    data,
    tokenizer,
    steps,
    backend,
    context,
    parameters,
    factors,
    base,
    random,
    state,
  } = started;
  const { emit } = host;
  const rule = optimizerOf(experiment);
  const active = activeBlocks(
    experiment.train.active_layers,
    setup.model.blocks,
    setup.trained,
    random.shuffled,
  );
  const saved = { parameters, factors };
  const carried = carryWeights(setup.setups.values(), base, parameters, factors);
  carried?.write();

  await opened.source.close();
  // Else a full disk would be told at the first checkpoint, with all steps before it lost.
  await ensureFreeSpace(host.runFolder, checkpointBytes(saved));

  const tools = { lastGroup: createLastGroup(answerMs) };
  const measureSplit: MeasureSplit = async (split, on, metrics, moment, at) => {
    const started = performance.now();
    const onProgress = (done: number, total: number): void => {
      emit({ type: "progress", phase: "evaluating", done, total });
    };
    const measured = await evaluate({ context, tokenizer, tools, onProgress }, on, metrics);
    const results = resultsPath({ split, moment });
    await writeResults(join(host.runFolder, results), measured.results);
    const before = split === "general" ? at.generalBefore?.["loss"] : undefined;
    const loss = measured.metrics["loss"];
    const change = before === undefined || loss === undefined ? {} : { forgetting: loss - before };
    emit({
      type: "eval",
      split,
      moment,
      step: at.step,
      epoch: at.step / data.plan.stepsPerEpoch,
      metrics: { ...measured.metrics, ...change },
      examples: on.subset.length,
      seconds: (performance.now() - started) / 1000,
      results,
    });
    if (moment !== "during")
      for (const finding of measured.findings) emit({ type: "finding", finding });
    return measured.metrics;
  };
  const metrics = experiment.eval.metrics ?? [];
  const evalData = data.eval;
  const { general } = data;
  const schedule = experiment.train.lr_scheduler_type.type;
  invariant(isScheduleName(schedule), `there is no schedule ${schedule}`);

  const result = await runLoop(
    {
      experiment,
      schedule,
      steps,
      stepsPerEpoch: data.plan.stepsPerEpoch,
      optimizer: openOptimizer(context, rule, { linalg: lazyLinalg(), normals: random.normals }),
      trainBatch: createTrainer(context),
      controls: thenCarried(
        createControls({
          setup,
          parameters,
          factors,
          trained: context.trained,
          steps,
          random: random.ofStep,
        }),
        carried,
      ),
      consumes: rule.gradients === "consumed",
      active,
      cycle: active?.cycle,
      estimated: rule.estimate && {
        estimator: createEstimator(backend, context.cache, parameters, rule, random.normals),
        async loss(batch) {
          const { losses } = await lossesOf(context, batch);
          return losses.reduce((sum, loss) => sum + loss, 0);
        },
      },
      maxGradNorm: experiment.train.max_grad_norm,
      batchesOf: data.batchesOf,
      beginBatch: random.begin,
      measure: evalData && ((at, moment) => measureSplit("eval", evalData, metrics, moment, at)),
      measureGeneral:
        general === undefined
          ? undefined
          : (at) => measureSplit("general", general, textMetrics, "before", at),
      async save(at, reason) {
        const started = performance.now();
        await context.trained.fetch();
        const bytes = await saveCheckpoint(host.runFolder, {
          step: at.step,
          bytes: checkpointBytes(saved),
          state: at,
          write: (folder) => writeTensors(folder, saved),
          beforeRename: host.approve,
        });
        const seconds = (performance.now() - started) / 1000;
        emit({
          type: "checkpoint",
          step: at.step,
          folder: `checkpoints/step-${at.step}`,
          bytes,
          seconds,
          reason,
          best: at.best?.step === at.step,
        });
        await pruneCheckpoints(host.runFolder, experiment.checkpoints.keep, at.best?.step);
      },
      look: looksOf({
        experiment,
        base: opened.resolved.folder,
        runFolder: host.runFolder,
        steps,
        stepsPerEpoch: data.plan.stepsPerEpoch,
        async write(folder) {
          await context.trained.fetch();
          await writeTensors(folder, saved);
        },
        emit,
        env: process.env,
      }),
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
    if (experiment.eval.early_stop !== null && best !== undefined && best !== result.state.step) {
      await readWeights(`${host.runFolder}/checkpoints/step-${best}`, saved);
      context.trained.changedOnHost();
      carried?.write();
      if (evalData) after = await measureSplit("eval", evalData, metrics, "after", result.state);
    }
    if (general) await measureSplit("general", general, textMetrics, "after", result.state);
    await measureTest(started, measureSplit, result.state);
  }
  const { tensors } = opened.source;
  const trained = {
    setup,
    backend,
    parameters,
    factors,
    base,
    reference: opened.resolved,
    storedType: (source: string) => storedTensor(setup.model, tensors, { source })?.dtype,
    labels: data.target?.kind === "class" ? data.target.names : undefined,
  };
  await context.trained.fetch();
  // Exports read the base as it was.
  carried?.restore();
  await exportRun(experiment, trained, host.runFolder, emit);
  carried?.write();
  const { evalBefore } = result.state;
  return {
    status: result.status,
    steps: result.state.step,
    ...(result.state.lossSteps > 0
      ? { trainLoss: result.state.lossSum / result.state.lossSteps }
      : {}),
    ...(evalBefore ? { evalBefore: scoresOf(evalBefore) } : {}),
    ...(after ? { evalAfter: scoresOf(after) } : {}),
    trainableParameters: setup.trainableParameters,
    // Kilobytes on every platform, as libuv reports them.
    peakMemoryBytes: resourceUsage().maxRSS * 1024,
    tokensPerSecond: result.tokensPerSecond,
  };
}

/** Controls after whose step the weights carry what was trained. */
function thenCarried(
  controls: StepControls | undefined,
  carried: CarriedWeights | undefined,
): StepControls | undefined {
  if (!carried) return controls;
  return {
    beforeStep: (t, lr) => controls?.beforeStep(t, lr),
    afterBackward: (t, lr) => controls?.afterBackward(t, lr),
    afterStep(t, lr) {
      controls?.afterStep(t, lr);
      carried.write();
    },
  };
}

type MeasureSplit = (
  split: Split,
  on: EvaluationData,
  metrics: readonly Choice[],
  moment: "before" | "during" | "after",
  at: RunState,
) => Promise<Metrics>;

/** What is measured on general text. */
const textMetrics: readonly Choice[] = ["loss", "perplexity"].map((type) => ({ type, config: {} }));

/** For finding the answer in one completion. */
const answerMs = 1000;

/** The test data are read here, once, after the last step. */
async function measureTest(
  { experiment, data }: PreparedRun,
  measure: MeasureSplit,
  state: RunState,
): Promise<void> {
  if (experiment.data.test === null) return;
  const { metrics, final } = experiment.eval;
  await measure(
    "test",
    await data.open(experiment.data.test),
    [...(metrics ?? []), ...final],
    "after",
    state,
  );
}

/** What machines get: the loss, its perplexity, and the task's own score where there is one. */
function scoresOf(metrics: Metrics): Scores {
  const { loss = NaN, perplexity, ...others } = metrics;
  const score = others["exact_match"] ?? Object.values(others)[0];
  return {
    loss,
    ...(perplexity === undefined ? {} : { perplexity }),
    ...(score === undefined ? {} : { score }),
  };
}
