/** @file Trains a fixture's model by the engine as an experiment file would, from the fixture's start. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalogFields, optimizers, rowNamed } from "../../../src/engine/catalog.ts";
import { openOptimizer } from "../../../src/engine/network/device-optimizer.ts";
import type { Normals } from "../../../src/engine/network/estimator.ts";
import { createEstimator } from "../../../src/engine/network/estimator.ts";
import { logitsOf, scoresOf } from "../../../src/engine/network/inference.ts";
import { createTrainer } from "../../../src/engine/network/training.ts";
import type { BoundRule } from "../../../src/engine/optimizers/define.ts";
import { localName, parameterName } from "../../../src/engine/programs/setup.ts";
import type { Backend } from "../../../src/engine/runtime/backend.ts";
import { lazyLinalg } from "../../../src/engine/runtime/linalg.ts";
import { createCalibrated } from "../../../src/engine/session/calibrate.ts";
import { createControls } from "../../../src/engine/session/controls.ts";
import { randomNumbers } from "../../../src/engine/session/draw.ts";
import { openModel } from "../../../src/engine/session/open-model.ts";
import type { OpenNetwork } from "../../../src/engine/session/open-network.ts";
import { openNetwork } from "../../../src/engine/session/open-network.ts";
import type { ModelSetup } from "../../../src/engine/session/set-up.ts";
import { setUpModel } from "../../../src/engine/session/set-up.ts";
import { startPlaces } from "../../../src/engine/session/start-places.ts";
import type { StartParts } from "../../../src/engine/session/start-tensors.ts";
import {
  allocateSizes,
  startTensors,
  startingSites,
} from "../../../src/engine/session/start-tensors.ts";
import { activeBlocks } from "../../../src/engine/train/active-blocks.ts";
import { trainStep } from "../../../src/engine/train/step.ts";
import type { Experiment } from "../../../src/shared/experiment/fields/experiment-fields.ts";
import { readExperiment } from "../../../src/shared/experiment/normalise.ts";
import { at, invariant } from "../../../src/shared/errors.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { fullMatch } from "../../support/network.ts";
import { filled } from "../deterministic.ts";
import { modelBatch } from "../models/batches.ts";
import type { Batch } from "../models/fixture.ts";
import { loadFixture } from "../models/fixture.ts";
import { writeModelFolder } from "../models/folder.ts";
import type { MethodFixture, StartTensor } from "./fixture.ts";

export interface FixtureRun {
  readonly losses: readonly number[];
  readonly logits: readonly (readonly number[])[];
}

const llama = loadFixture("llama");
const steps = 10;

export async function runFixture(fixture: MethodFixture, backend: Backend): Promise<FixtureRun> {
  const folder = mkdtempSync(join(tmpdir(), "method-"));
  try {
    writeModelFolder(folder, llama);
    return await runIn(folder, fixture, backend);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runIn(
  folder: string,
  fixture: MethodFixture,
  backend: Backend,
): Promise<FixtureRun> {
  const experiment = experimentOf(folder, fixture);
  const { source, model } = await openModel({ id: folder }, "causal-lm", {
    base: folder,
    env: {},
    home: folder,
  });
  const rule = ruleOf(experiment);
  const random = randomNumbers(0);
  const schedule = experiment.train.active_layers;
  const options = (setup: ModelSetup) =>
    ({
      ...{ backend, setup, source, layout: rule, checkpointing: false },
      byBlock: schedule !== null,
      draw: random.start,
      drawMask: random.mask,
      onProgress: () => undefined,
    }) as const;
  const setUp = (sizes?: ReadonlyMap<string, number>): ModelSetup => {
    const made = setUpModel(model, experiment, source.tensors, fullMatch, sizes);
    assert.deepEqual(made.findings, []);
    return made.value;
  };
  const first = setUp();
  const before = await openNetwork(options(first));
  const starting = (setup: ModelSetup, network: OpenNetwork): StartParts =>
    startParts(setup, network, fixture, random.ofStart);
  const allocation = await allocateSizes(starting(first, before));
  const setup = allocation ? setUp(allocation.sizes) : first;
  const network = allocation ? await before.over(setup) : before;
  // Formulas stand for what would be drawn; what starts from data reads them.
  place(fixture.tensors, setup, network);
  await startTensors({
    ...starting(setup, network),
    kept: allocation?.kept ?? new Map(),
  });
  await startPlaces({
    ...{ ...network, setup, random: random.ofStart },
    tokenize: () => new Int32Array(0),
  });
  place(fixture.tensors, setup, network);
  network.context.trained.changedOnHost();

  const { context, parameters, factors } = network;
  const parts = {
    trainBatch: createTrainer(context),
    optimizer: openOptimizer(context, rule, { linalg: lazyLinalg(), normals }),
    beginBatch: random.begin,
    maxGradNorm: 0,
    controls: createControls({
      ...{ setup, parameters, factors, steps },
      trained: context.trained,
      random: random.ofStep,
    }),
    consumes: rule.gradients === "consumed",
    active: activeBlocks(schedule, model.blocks, [...parameters.all.values()], random.shuffled),
    estimated: rule.estimate && {
      estimator: createEstimator(backend, context.cache, parameters, rule, normals),
      async loss(batch: ReturnType<typeof modelBatch>) {
        const { losses } = await scoresOf(context, batch);
        return losses.reduce((sum, loss) => sum + loss, 0);
      },
    },
  };
  const batches = llama.batches.map((batch) => modelBatch(model, batch, "scored"));
  const losses: number[] = [];
  for (let t = 1; t <= steps; t++) {
    const batch = at(batches, (t - 1) % batches.length);
    const { loss } = await trainStep(parts, [batch], t, fixture.learningRate);
    losses.push(loss);
  }
  await context.trained.fetch();
  const own = at(llama.batches, 0);
  const real = modelBatch(model, own, "real");
  const all = await logitsOf(context, real);
  const width = all.length / real.rows.length;
  let end = 0;
  const logits = own.attentionMask.map((mask) => {
    end += mask.reduce((sum, real) => sum + real, 0);
    return [...all.subarray((end - 1) * width, end * width)];
  });
  await source.close();
  await context.cache.dispose();
  return { losses, logits };
}

function experimentOf(folder: string, fixture: MethodFixture): Experiment {
  const { train, ...rest } = fixture.experiment;
  const text = JSON.stringify({
    version: 1,
    model: folder,
    data: { train: "none" },
    ...rest,
    train: {
      optimizer: { type: "adamw", betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0 },
      ...(isRecord(train) ? train : {}),
    },
  });
  const { experiment, findings } = readExperiment({ file: folder, text, catalog: catalogFields });
  assert(experiment, JSON.stringify(findings));
  return experiment;
}

function ruleOf({ train }: Experiment): BoundRule {
  return rowNamed(optimizers, train.optimizer.type).bind(train.optimizer.config);
}

function startParts(
  setup: ModelSetup,
  network: OpenNetwork,
  { learningRate }: MethodFixture,
  random: StartParts["random"],
): StartParts {
  const { base, parameters, factors } = network;
  return {
    ...{ setup, base, parameters, factors, random },
    original: network.original,
    rewrite: network.rewrite,
    run: { steps, warmupSteps: 0, learningRate },
    kept: new Map(),
    onProgress: () => undefined,
    calibrated: createCalibrated({
      backend: network.context.backend,
      model: setup.model,
      setups: setup.setups,
      base,
      parameters,
      checkpointing: false,
      sites: startingSites(setup),
      // All examples of the fixture, in its batches or one by one.
      batchesOf: ({ single }) =>
        llama.batches.flatMap(single ? oneByOne : (own) => [own]).map((own) => {
          const batch = modelBatch(setup.model, own, "scored");
          return { batch, counted: Uint8Array.from(own.attentionMask.flat()) };
        }),
      onProgress: () => undefined,
    }),
  };
}

/** The formula's numbers in place of normal ones. */
const normals: Normals = (step, tensor, first, into) => {
  const shape = [first + into.length];
  into.set(filled({ name: `${step}/${tensor}`, shape, scale: 1.5, offset: 0 }).subarray(first));
};

function oneByOne({ inputIds, attentionMask, labels }: Batch): readonly Batch[] {
  return inputIds.map((row, index) => {
    const own = labels[index];
    invariant(Array.isArray(own), "a causal model has labels for each token");
    return { inputIds: [row], attentionMask: [at(attentionMask, index)], labels: [own] };
  });
}

/** Writes the fixture's values into the tensors of that name, each of which must be there. */
function place(
  rows: readonly StartTensor[],
  setup: ModelSetup,
  { parameters, factors }: Pick<OpenNetwork, "parameters" | "factors">,
): void {
  const arrays = new Map<string, Float32Array | Int32Array>();
  for (const { spec, sites, places } of setup.setups.values()) {
    const methods = [
      ...[...sites].map(([name, site]) => ({ name, site })),
      ...[...(places ?? [])].map(([name, site]) => ({ name, site })),
    ];
    for (const { name, site } of methods)
      for (const [param, { trains, key }] of site.params) {
        const full = parameterName(spec, localName(name, site, param));
        const data = trains === false ? factors.get(full).data : parameters.get(full).weight;
        arrays.set(key === undefined ? full : `#${key}`, data);
      }
  }
  for (const row of rows) {
    const array = arrays.get(row.name);
    assert(array, `the engine has no ${row.name}, but ${[...arrays.keys()].join(" ")}`);
    const values = "values" in row ? row.values : filled(row);
    assert.equal(array.length, values.length, row.name);
    array.set(values);
  }
}
