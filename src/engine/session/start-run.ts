/** @file Brings a loaded run to its first or next step: what starts from data does so, or a checkpoint says how it went on. */
import { invariant } from "../../shared/errors.ts";
import type { EventBody } from "../../shared/protocol.ts";
import { loadCheckpoint } from "../runs/checkpoints.ts";
import { warmupSteps } from "../schedules/learning-rate.ts";
import type { RunState } from "../train/run-state.ts";
import { checkpointShapes, firstState, parseRunState, readTensors } from "../train/run-state.ts";
import { throwErrors } from "../weights/read-errors.ts";
import { localName, parameterName } from "../programs/setup.ts";
import { createCalibrated } from "./calibrate.ts";
import { matchMs } from "./prepare-run.ts";
import { createFullMatch } from "./python-regex.ts";
import type { ModelSetup } from "./set-up.ts";
import { carriedOn, heldOn, setUpModel } from "./set-up.ts";
import { startFromAdapters } from "./start-from-adapter.ts";
import { startPlaces } from "./start-places.ts";
import type { Kept, StartParts } from "./start-tensors.ts";
import { allocateSizes, startTensors, startingSites, takeOffStored } from "./start-tensors.ts";
import type { LoadedRun, RunHost } from "./train-run.ts";

/** A run whose tensors hold what its next step begins with. */
export interface StartedRun extends LoadedRun {
  readonly state: RunState;
}

export async function startRun(
  loaded: LoadedRun,
  { runFolder, checkpoint, emit }: Pick<RunHost, "runFolder" | "checkpoint" | "emit">,
): Promise<StartedRun> {
  if (checkpoint === undefined) return { ...(await startAnew(loaded, emit)), state: firstState };
  const step = Number(/step-(\d+)$/.exec(checkpoint)?.[1]);
  const { value } = await loadCheckpoint(runFolder, step);
  invariant(value, "the checkpoint to go on from is damaged");
  const sizes = await storedSizes(value.folder, loaded.setup);
  const resumed = sizes.size === 0 ? loaded : await withSizes(loaded, sizes, emit);
  await readTensors(value.folder, resumed);
  await takeOffStored(resumed);
  resumed.context.trained.changedOnHost();
  return { ...resumed, state: parseRunState(value.state) };
}

async function startAnew(loaded: LoadedRun, emit: (event: EventBody) => void): Promise<LoadedRun> {
  const allocation = await calibrated(loaded, emit, (parts) => allocateSizes(parts));
  const started = allocation ? await withSizes(loaded, allocation.sizes, emit) : loaded;
  const kept: ReadonlyMap<string, Kept> = allocation?.kept ?? new Map();
  await calibrated(started, emit, (parts) => startTensors({ ...parts, kept }));
  await startPlaces({
    ...started,
    random: started.random.ofStart,
    tokenize: (text) =>
      Int32Array.from(started.tokenizer.encode(text, { addSpecialTokens: false }).ids),
  });
  started.context.trained.changedOnHost();
  return started;
}

/** Works with passes over the training data at hand. */
async function calibrated<T>(
  loaded: LoadedRun,
  emit: (event: EventBody) => void,
  work: (parts: Omit<StartParts, "kept">) => Promise<T>,
): Promise<T> {
  const { experiment, backend, setup, data, steps, base, parameters } = loaded;
  const { train } = experiment;
  const progress = (done: number, total: number, detail: string): void => {
    emit({ type: "progress", phase: "loading", done, total, ...(done < total ? { detail } : {}) });
  };
  const passes = createCalibrated({
    backend,
    model: setup.model,
    setups: setup.setups,
    base,
    parameters,
    checkpointing: train.gradient_checkpointing,
    sites: startingSites(setup),
    batchesOf: (choice) => data.calibration(choice),
    onProgress: (done, total) => {
      progress(done, total, "measuring on training examples");
    },
  });
  try {
    return await work({
      ...loaded,
      random: loaded.random.ofStart,
      run: {
        steps,
        warmupSteps: warmupSteps(train.warmup_steps, steps),
        learningRate: train.learning_rate,
      },
      calibrated: passes,
      onProgress: (done, total, module) => {
        progress(done, total, `starting ${module}`);
      },
    });
  } finally {
    await passes.dispose();
  }
}

/** The run set up again with ranks that were found for its sites. */
async function withSizes(
  loaded: LoadedRun,
  sizes: ReadonlyMap<string, number>,
  emit: (event: EventBody) => void,
): Promise<LoadedRun> {
  const { experiment, opened, device, setup: before } = loaded;
  const fullMatch = createFullMatch(matchMs);
  const { tensors } = opened.source;
  const { value, findings } = setUpModel(before.model, experiment, tensors, fullMatch, sizes);
  throwErrors(findings);
  const setup = carriedOn(heldOn(value, device.chosen), device.chosen, experiment.train);
  const network = await loaded.over(setup);
  const { source } = opened;
  const { parameters } = network;
  for (const finding of await startFromAdapters(
    experiment.method,
    source,
    setup,
    parameters,
    fullMatch,
  ))
    emit({ type: "finding", finding });
  await loaded.context.cache.dispose();
  return { ...loaded, ...network, setup };
}

/** Sizes that starts gave their sites, as a checkpoint's tensors show them; empty where none is given. */
export async function storedSizes(
  folder: string,
  setup: ModelSetup,
): Promise<ReadonlyMap<string, number>> {
  const sized = startingSites(setup).flatMap(({ setup: block, linear, site, starts }) =>
    starts.flatMap(({ sized: param }) =>
      param === undefined
        ? []
        : [
            {
              module: linear.module,
              name: parameterName(block.spec, localName(linear.name, site, param)),
            },
          ],
    ),
  );
  if (sized.length === 0) return new Map();
  const shapes = await checkpointShapes(folder);
  return new Map(sized.map(({ module, name }) => [module, shapes.get(name)?.[0] ?? 0]));
}
