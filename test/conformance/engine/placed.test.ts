/** @file Every method at a place other than a linear layer keeps what the core relies on; none can be left out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { methods } from "../../../src/engine/catalog.ts";
import { isPlaced } from "../../../src/engine/methods/placed.ts";
import { generate } from "../../../src/engine/network/generation.ts";
import { logitsOf } from "../../../src/engine/network/inference.ts";
import { layoutBytes } from "../../../src/engine/network/parameters.ts";
import { adamw } from "../../../src/engine/optimizers/adamw.ts";
import { frozenFactors } from "../../../src/engine/programs/setup.ts";
import { at } from "../../../src/shared/errors.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";
import { openOptimizer } from "../../../src/engine/network/device-optimizer.ts";
import { lazyLinalg } from "../../../src/engine/runtime/linalg.ts";
import type { PlacedNetwork } from "./placed-case.ts";
import { disturb, placedChoices, placedNetwork, tinyModels } from "./placed-case.ts";

const placed = methods.filter(isPlaced);
const rule = adamw.bind({ betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0 });

for (const method of placed)
  describe(`method ${method.name}`, () => {
    for (const model of Object.keys(tinyModels))
      it(`changes nothing in ${model} at its start, or says why`, async (t) => {
        const base = await placedNetwork(t, model, undefined);
        const expected = await logitsOf(base.context, base.batch);
        for (const choice of placedChoices(method)) {
          const { context, batch, setup, parameters } = await placedNetwork(t, model, choice);
          // A head that starts anew is drawn alike.
          for (const { name, start } of setup.trained)
            if ("tensor" in start)
              parameters.get(name).weight.set(base.parameters.get(name).weight);
          const off = largest(await logitsOf(context, batch), expected);
          if (method.changesAtStart === undefined) assert(off < 1e-5, `logits are off by ${off}`);
          else assert(off > 1e-4, "it says that it changes the model, which it does not");
        }
      });

    for (const model of Object.keys(tinyModels))
      it(`has the gradients in ${model} that differences show`, async (t) => {
        // What a choice changes does not depend on the model.
        const choices = placedChoices(method).slice(0, model === "llama" ? undefined : 1);
        for (const choice of choices) {
          const network = await placedNetwork(t, model, choice);
          disturb(network);
          await checkGradients(network);
        }
      });

    it("changes nothing but what it declares, and holds as much as is planned", async (t) => {
      for (const choice of placedChoices(method)) {
        const network = await placedNetwork(t, "llama", choice);
        disturb(network);
        const { setup, base, factors, parameters, context, train, batch } = network;
        const frozen = [...setup.setups.values()].flatMap(({ spec, trained }) =>
          spec.tensors.filter(({ name }) => !trained.has(name)).map(({ source }) => source),
        );
        const before = frozen.map((source) => base.decode(source).slice());
        const factorsBefore = [...factors.all.values()].map(({ data }) => data.slice());
        const starts = [...parameters.all.values()].map(({ weight }) => weight.slice());
        const optimizer = openOptimizer(context, rule, { linalg: lazyLinalg() });
        optimizer.zeroGradients();
        await train(batch, 0.1);
        await optimizer.step({ t: 1, lr: 0.1, gradientScale: 1 });
        frozen.forEach((source, index) => {
          assert.deepEqual(base.decode(source), before[index], source);
        });
        [...factors.all.values()].forEach(({ name, data }, index) => {
          assert.deepEqual(data, factorsBefore[index], name);
        });
        [...parameters.all.values()].forEach(({ name, weight }, index) => {
          assert.notDeepEqual(weight, starts[index], `${name} does not train`);
        });

        const held = [...parameters.all.values()];
        const weights = held.reduce((sum, { weight }) => sum + weight.byteLength, 0);
        const gradients = held.reduce((sum, { gradient }) => sum + gradient.byteLength, 0);
        const planned = layoutBytes(setup.trained, rule);
        assert.equal(planned.weights, weights);
        assert.equal(planned.gradients, gradients);
        assert.equal(planned.state, 4 * parameters.stateCount);
        assert.equal(4 * setup.trainableParameters, weights);
        const blocks = [...setup.setups.values()];
        const names = new Set(blocks.flatMap((block) => frozenFactors(block).map((f) => f.name)));
        assert.equal(names.size === 0, factors.bytes() === 0);
      }
    });

    it("generates what the whole sequence gives, token by token", async (t) => {
      for (const model of ["llama", "gpt2"])
        for (const choice of placedChoices(method)) {
          const network = await placedNetwork(t, model, choice);
          disturb(network);
          const prompts = [Int32Array.of(5, 9, 30), Int32Array.of(17)];
          const made = await generate(network.context, prompts, {
            maxNewTokens: 3,
            stop: new Set(),
            choose: largestAt,
          });
          for (const [row, prompt] of prompts.entries()) {
            const ids = [...prompt];
            for (let count = 0; count < 3; count++) ids.push(await nextToken(network, ids));
            assert.deepEqual(at(made, row), ids.slice(prompt.length), model);
          }
        }
    });

    it("says what it is, and refuses what lies outside its bounds", () => {
      assert(method.staysApart === undefined || method.staysApart.length > 20);
      assert(method.changesAtStart === undefined || method.changesAtStart.length > 20);
      assert(Object.keys(method.axes ?? {}).length > 0, "the row says nothing of its axes");
      for (const [name, { doc, shape }] of Object.entries(method.config)) {
        assert(doc.length > 10, `${name} is not documented`);
        if (shape.kind !== "int" && shape.kind !== "number") continue;
        const { findings } = parseFields(method.config, { [name]: -1 });
        assert(
          findings.some(({ severity }) => severity === "error"),
          `${name}: -1 was taken`,
        );
      }
    });
  });

async function checkGradients(network: PlacedNetwork): Promise<void> {
  const { parameters, train, batch, loss } = network;
  parameters.zeroGradients();
  await train(batch, 1);
  for (const { name, weight, gradient } of parameters.all.values()) {
    // Losses are float32: below a tenth, differences say less of the gradient.
    const most = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0.1);
    for (const index of new Set([0, weight.length >> 1, weight.length - 1])) {
      const step = 2 ** -8;
      const value = at(weight, index);
      const moved = async (to: number): Promise<number> => {
        weight[index] = to;
        return loss();
      };
      const quotient = ((await moved(value + step)) - (await moved(value - step))) / (2 * step);
      weight[index] = value;
      assert(
        Math.abs(quotient - at(gradient, index)) <= 5e-3 * most,
        `${name}[${index}]: ${at(gradient, index)} against ${quotient}`,
      );
    }
  }
}

/** The token of the highest logit after `ids`, by one pass over all of them. */
async function nextToken({ context }: PlacedNetwork, ids: readonly number[]): Promise<number> {
  const logits = await logitsOf(context, {
    batch: 1,
    length: ids.length,
    ids: Int32Array.from(ids),
    positions: Int32Array.from(ids, (_, place) => place),
    types: new Int32Array(ids.length),
    ownPositions: false,
    rows: Int32Array.of(ids.length - 1),
    targets: { kind: "classes", labels: Int32Array.of(0) },
  });
  return largestAt(logits);
}

function largestAt(values: Float32Array): number {
  return values.reduce((best, value, index) => (value > at(values, best) ? index : best), 0);
}

function largest(a: Float32Array, b: Float32Array): number {
  assert.equal(a.length, b.length);
  return a.reduce((most, value, index) => Math.max(most, Math.abs(value - at(b, index))), 0);
}

it("finds methods to test", () => {
  assert(placed.length > 0);
});
