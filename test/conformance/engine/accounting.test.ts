/** @file What a plan says of every row of the catalog is what a run of it holds: trained numbers, optimizer, activations. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  activeLayers,
  initialisers,
  methods,
  optimizers,
  sharings,
} from "../../../src/engine/catalog.ts";
import { memoryInputs } from "../../../src/engine/plan/memory-inputs.ts";
import type { MemoryPlan } from "../../../src/engine/plan/plan-memory.ts";
import { planMemory } from "../../../src/engine/plan/plan-memory.ts";
import type { ModelSetup } from "../../../src/engine/session/set-up.ts";
import { startRun } from "../../../src/engine/session/start-run.ts";
import { loadRun, trainStarted } from "../../../src/engine/session/train-run.ts";
import { preparedIn } from "../../support/prepared-run.ts";
import { makeWorkspace } from "../../support/workspace.ts";

type Fields = Readonly<Record<string, unknown>>;

const sizes = { r: 4, num_virtual_tokens: 5, token_indices: [66, 97] };
const small = (type: string): Fields => {
  const row = methods.find(({ name }) => name === type);
  const own = Object.entries(sizes).filter(([name]) => row && name in row.config);
  return { type, ...Object.fromEntries(own) };
};
const lora = small("lora");

interface Case {
  readonly title: string;
  readonly method: Fields;
  readonly train?: Fields;
}

const cases: readonly Case[] = [
  ...methods.map(({ name }) => ({ title: name, method: small(name) })),
  ...initialisers.map(({ name, takesCore }) => ({
    title: name,
    method: { ...(takesCore ? small("lora_xs") : lora), init: name },
  })),
  ...sharings.map(({ name }) => ({ title: name, method: { ...lora, sharing: name } })),
  ...optimizers.map(({ name }) => ({
    title: name,
    method: name.startsWith("lora") ? lora : { type: "full" },
    train: { optimizer: name },
  })),
  ...activeLayers.map(({ name }) => ({
    title: name,
    method: { type: "full" },
    train: { active_layers: name },
  })),
];

/** Whether a start spreads a budget over the modules. */
const allocates = (title: string): boolean => ["fish", "eva"].includes(title);

for (const { title, method, train } of cases)
  describe(`the plan of ${title}`, () => {
    it("is what is allocated", async (t) => {
      const folder = makeWorkspace(t);
      const prepared = await preparedIn(folder, {
        method,
        train: { ...train, num_train_epochs: 1, learning_rate: 1e-5 },
      });
      const emit = (): void => undefined;
      const { data, tokenizer } = prepared;
      const planned = (setup: ModelSetup): MemoryPlan =>
        planMemory(memoryInputs(prepared.experiment, setup, data, tokenizer));
      const runFolder = join(folder, "run");
      mkdirSync(runFolder);
      const host = {
        ...{ runFolder, checkpoint: undefined, emit },
        approve: () => Promise.resolve(),
        requested: () => undefined,
      };
      const started = await startRun(await loadRun(prepared, emit, () => undefined), host);
      await trainStarted(started, host);

      const { parameters, context, setup } = started;
      const all = [...parameters.all.values()];
      const plan = planned(setup);
      // A gauge has a gradient and state, but never moves.
      const moving = parameters.count - setup.trained.filter(({ gauge }) => gauge).length;
      assert.equal(setup.trainableParameters, moving);
      // Sizes that the data decide are known once it was looked at; until then they are taken to be equal.
      const { trainableParameters } = prepared.plan;
      if (allocates(title)) assert(Math.abs(trainableParameters / moving - 1) < 0.1);
      else {
        assert.equal(trainableParameters, moving);
        assert.deepEqual(planned(prepared.setup), plan);
      }
      const held = (arrays: readonly Float32Array[]): number =>
        [...new Set(arrays.map(({ buffer }) => buffer))].reduce(
          (sum, { byteLength }) => sum + byteLength,
          0,
        );
      const weights = held(all.map(({ weight }) => weight));
      const gradients = held(all.map(({ gradient }) => gradient));
      assert.equal(plan.trained, weights + gradients);
      const states = all.flatMap(({ name }) =>
        [...parameters.statesOf(name).values()].map(({ data: state }) => state),
      );
      assert.equal(plan.optimizer, held(states));
      assert.equal(plan.activations, context.buffers.bytes());
    });
  });
