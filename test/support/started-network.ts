/** @file The network of an experiment on a model folder, started as a run starts it. */
import assert from "node:assert/strict";
import { catalogFields } from "../../src/engine/catalog.ts";
import type { Task } from "../../src/engine/models/architecture.ts";
import { adamw } from "../../src/engine/optimizers/adamw.ts";
import type { Backend } from "../../src/engine/runtime/backend.ts";
import { randomNumbers } from "../../src/engine/session/draw.ts";
import type { OpenModel } from "../../src/engine/session/open-model.ts";
import { openModel } from "../../src/engine/session/open-model.ts";
import type { OpenNetwork } from "../../src/engine/session/open-network.ts";
import { openNetwork } from "../../src/engine/session/open-network.ts";
import { createFullMatch } from "../../src/engine/session/python-regex.ts";
import type { ModelSetup } from "../../src/engine/session/set-up.ts";
import { setUpModel } from "../../src/engine/session/set-up.ts";
import { startPlaces } from "../../src/engine/session/start-places.ts";
import type { Experiment } from "../../src/shared/experiment/fields/experiment-fields.ts";
import { readExperiment } from "../../src/shared/experiment/normalise.ts";

/** The optimizer whose state the network has room for. */
export const plainAdamw = adamw.bind({ betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0 });

export interface StartedNetwork extends OpenNetwork {
  readonly experiment: Experiment;
  readonly opened: OpenModel;
  readonly setup: ModelSetup;
}

export interface NetworkChoice {
  /** Folder of the model. */
  readonly model: string;
  readonly task: Task;
  /** Fields of the experiment beside model, task and data. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The model alone, whatever `fields` say of a method. */
  readonly withoutMethod?: boolean;
  readonly backend: Backend;
  /** Ids of a text that a start asks for. */
  readonly tokenize: (text: string) => Int32Array;
}

/** The caller closes `opened.source`. */
export async function startedNetwork({
  model,
  task,
  fields,
  withoutMethod = false,
  backend,
  tokenize,
}: NetworkChoice): Promise<StartedNetwork> {
  const text = JSON.stringify({ version: 1, model, task, data: { train: "none" }, ...fields });
  const { experiment, findings } = readExperiment({ file: "a", text, catalog: catalogFields });
  assert(experiment, JSON.stringify(findings));
  const opened = await openModel({ id: model }, task, { base: model, env: {}, home: model });
  const choices = withoutMethod ? { ...experiment, method: [] } : experiment;
  const made = setUpModel(opened.model, choices, opened.source.tensors, createFullMatch(1000));
  assert.deepEqual(made.findings, []);
  const setup = made.value;
  const random = randomNumbers(0);
  const network = await openNetwork({
    ...{ backend, setup, source: opened.source, layout: plainAdamw, checkpointing: false },
    ...{ draw: random.start, drawMask: random.mask, onProgress: () => undefined },
  });
  await startPlaces({ ...network, setup, random: random.ofStart, tokenize });
  return { ...network, experiment, opened, setup };
}
