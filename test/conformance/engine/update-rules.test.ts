/** @file Every update rule and schedule over layers on a small network: the loss falls, and a resumed run ends in the same bits. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { activeLayers, optimizers } from "../../../src/engine/catalog.ts";
import { createEstimator } from "../../../src/engine/network/estimator.ts";
import { createFactors } from "../../../src/engine/network/factors.ts";
import { createParameters } from "../../../src/engine/network/parameters.ts";
import type { ParameterSpec } from "../../../src/engine/network/parameters.ts";
import { scoresOf } from "../../../src/engine/network/inference.ts";
import type { BoundRule } from "../../../src/engine/optimizers/define.ts";
import type { Backend } from "../../../src/engine/runtime/backend.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { randomNumbers } from "../../../src/engine/session/draw.ts";
import { activeBlocks } from "../../../src/engine/train/active-blocks.ts";
import { readTensors, writeTensors } from "../../../src/engine/train/run-state.ts";
import { trainStep } from "../../../src/engine/train/step.ts";
import type { StepParts } from "../../../src/engine/train/step.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";
import type { Choice, Fields } from "../../../src/shared/schema.ts";
import { formulaWeights } from "../../support/formula-weights.ts";
import type { TestNetwork, Training } from "../../support/network.ts";
import { deviceLike } from "../../support/device-like.ts";
import { buildNetwork } from "../../support/network.ts";
import { networkCases } from "../../unit/engine/network/cases.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });
const random = randomNumbers(3);
const factors = createFactors([]);
const lora: Training = { kind: "lora", lora: { r: 4, alpha: 8, use_rslora: false } };
const steps = 12;

/** Learning rates at which so few steps show something; 5e-3 where not given. */
const rates: Readonly<Record<string, number>> = { sgd: 0.05, lomo: 0.05, mezo: 2e-3 };

const config = ({ config: fields }: { readonly config: Fields }): Choice["config"] =>
  parseFields(fields, {}).value ?? {};
const bound = (name: string): BoundRule => {
  const row = optimizers.find((rule) => rule.name === name);
  assert(row);
  return row.bind(config(row));
};

const cases = [
  ...optimizers.map(({ name }) => ({ name, optimizer: name, schedule: null })),
  ...activeLayers.map((row) => ({
    name: row.name,
    optimizer: "adamw",
    schedule: { type: row.name, config: config(row) },
  })),
];

for (const { name, model, batch } of networkCases)
  describe(`on ${name}, a run by`, () => {
    const open = (
      training: Training,
      rule: BoundRule,
      schedule: Choice | null,
      on: Backend = backend,
    ) => {
      const read = formulaWeights(model);
      const network = buildNetwork({
        ...{ backend: on, model, training, optimizer: rule, normals: random.normals },
        // B starts at zero in training.
        read: (tensor) => (tensor.endsWith("#B") ? read(tensor).fill(0) : read(tensor)),
        byBlock: schedule !== null,
      });
      const { context, parameters } = network;
      const active = activeBlocks(
        schedule,
        model.blocks,
        [...parameters.all.values()],
        random.shuffled,
      );
      const parts: StepParts = {
        trainBatch: network.train,
        optimizer: network.optimizer,
        beginBatch: random.begin,
        maxGradNorm: 1,
        consumes: rule.gradients === "consumed",
        active,
        estimated: rule.estimate && {
          estimator: createEstimator(on, context.cache, parameters, rule, random.normals),
          loss: () => lossOf(network),
        },
      };
      return { network, parts, active };
    };
    const lossOf = async ({ context }: TestNetwork): Promise<number> => {
      const { losses } = await scoresOf(context, batch);
      return losses.reduce((sum, loss) => sum + loss, 0);
    };
    const run = async (
      parts: StepParts,
      from: number,
      to: number,
      optimizer: string,
    ): Promise<void> => {
      for (let t = from; t <= to; t++) await trainStep(parts, [batch], t, rates[optimizer] ?? 5e-3);
    };

    // Rules see tensors, not architectures: one model is enough for all of them.
    for (const { name: row, optimizer, schedule } of name === "llama" ? cases : [])
      for (const training of [lora, { kind: "full" } as const])
        it(`${row}, ${training.kind}: the loss falls; resumed, the same bits`, async (t) => {
          const rule = bound(optimizer);
          const whole = open(training, rule, schedule);
          const before = await lossOf(whole.network);
          await run(whole.parts, 1, steps, optimizer);
          const after = await lossOf(whole.network);
          assert(after < before, `${after} is not below ${before}`);

          const first = open(training, rule, schedule);
          await run(first.parts, 1, 5, optimizer);
          const folder = scratch(t);
          await writeTensors(folder, { parameters: first.network.parameters, factors });
          const second = open(training, rule, schedule);
          await readTensors(folder, { parameters: second.network.parameters, factors });
          await run(second.parts, 6, steps, optimizer);
          for (const { name: tensor, weight } of whole.network.parameters.all.values())
            assert.deepEqual(second.network.parameters.get(tensor).weight, weight, tensor);
        });

    for (const { name: row, schedule } of cases)
      if (schedule)
        for (const device of [backend, deviceLike(backend)])
          it(`${row}: what rests keeps its bits, what trains does not, by the ${device.name}`, async () => {
            const { network, parts, active } = open(
              { kind: "full" },
              bound("adamw"),
              schedule,
              device,
            );
            const all = [...network.parameters.all.values()];
            for (let t = 1; t <= 6; t++) {
              const blocks = active?.at(t) ?? new Set<string>();
              const weights = new Map(
                all.map(({ name: tensor, weight }) => [tensor, weight.slice()]),
              );
              await trainStep(parts, [batch], t, 5e-3);
              await network.context.trained.fetch();
              let moved = 0;
              for (const { name: tensor, weight, blocks: own = [] } of all) {
                const same = weights.get(tensor)?.every((x, i) => x === weight[i]) === true;
                if (!own.some((block) => blocks.has(block)))
                  assert(same, `${tensor} rests and moves`);
                else if (!same) moved++;
              }
              assert(moved > 0, `nothing moves in step ${t}`);
            }
          });

    it("lomo: as sgd without momentum", async () => {
      const [one, other] = [bound("lomo"), bound("sgd")].map((rule) =>
        open({ kind: "full" }, rule, null),
      );
      assert(one && other);
      await run(one.parts, 1, 3, "lomo");
      await run(other.parts, 1, 3, "sgd");
      for (const { name: tensor, weight } of one.network.parameters.all.values())
        largestGap(weight, other.network.parameters.get(tensor).weight, 1e-6);
    });
  });

function largestGap(made: Float32Array, expected: Float32Array, tolerance: number): void {
  made.forEach((x, i) => {
    assert(Math.abs(x - (expected[i] ?? NaN)) <= tolerance, `${x} is not ${expected[i]}`);
  });
}

it("keeps the gradient of what blocks share apart where gradients are used up by turns", () => {
  const shared: readonly ParameterSpec[] = [
    { name: "tied", shape: [6], decays: true, kind: "embedding", blocks: ["embedding", "head"] },
    { name: "own", shape: [4], decays: true, kind: "linear", blocks: ["layers.0"] },
  ];
  const parameters = createParameters(shared, bound("lomo"), { byBlock: true });
  const [tied, own] = ["tied", "own"].map((tensor) => parameters.get(tensor).gradient);
  assert(tied?.length === 6 && own?.length === 4);
  own.fill(1);
  assert(tied.every((x) => x === 0));
});
