/** @file Every update rule of the catalog: reaches optima, has the state it declares, goes on from it exactly. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { optimizers } from "../../../src/engine/catalog.ts";
import { createOptimizer } from "../../../src/engine/network/optimizer.ts";
import { createParameters } from "../../../src/engine/network/parameters.ts";
import type { Parameters } from "../../../src/engine/network/parameters.ts";
import { createProgramCache } from "../../../src/engine/network/program-cache.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });
const count = 6;

/** Gradients of functions of six numbers, with the place of the optimum. */
const functions = {
  bowl: { gradient: (w: number) => 2 * (w - 1), optimum: 1 },
  "narrow bowl": { gradient: (w: number, i: number) => 2 * (i + 1) * (w + 0.5), optimum: -0.5 },
  "rounded corner": {
    gradient: (w: number) => (w - 2) / Math.sqrt((w - 2) ** 2 + 0.01),
    optimum: 2,
  },
  quartic: { gradient: (w: number) => 4 * (w - 0.25) ** 3 + 0.5 * (w - 0.25), optimum: 0.25 },
} as const;

for (const rule of optimizers)
  describe(`optimizer ${rule.name}`, () => {
    const { value } = parseFields(rule.config, {});
    const bound = rule.bind(value);
    const start = (): Parameters =>
      createParameters([{ name: "w", shape: [count], decays: true }], bound.state);
    const run = async (
      parameters: Parameters,
      gradient: (w: number, i: number) => number,
      from: number,
      to: number,
    ): Promise<void> => {
      const optimizer = createOptimizer(backend, createProgramCache(backend), parameters, bound);
      const { weight, gradient: sum } = parameters.get("w");
      for (let t = from; t <= to; t++) {
        weight.forEach((w, i) => (sum[i] = gradient(w, i)));
        await optimizer.step({ t, lr: 0.05 * (1 - (t - 1) / 600), gradientScale: 1 });
      }
    };

    for (const [name, { gradient, optimum }] of Object.entries(functions))
      it(`reaches the optimum of the ${name}`, async () => {
        const parameters = start();
        await run(parameters, gradient, 1, 600);
        for (const w of parameters.get("w").weight)
          assert(Math.abs(w - optimum) < 0.02, `${w} is not ${optimum}`);
      });

    it("goes on from its state to the same bits", async () => {
      const whole = start();
      await run(whole, functions.bowl.gradient, 1, 20);
      const first = start();
      await run(first, functions.bowl.gradient, 1, 9);
      const second = start();
      second.get("w").weight.set(first.get("w").weight);
      for (const state of bound.state) second.state("w", state).set(first.state("w", state));
      await run(second, functions.bowl.gradient, 10, 20);
      assert.deepEqual(second.get("w").weight, whole.get("w").weight);
    });

    it("uses every state that it declares, and documents every field", async () => {
      const parameters = start();
      await run(parameters, functions.bowl.gradient, 1, 2);
      for (const state of bound.state)
        assert(
          parameters.state("w", state).some((x) => x !== 0),
          `${state} stays 0`,
        );
      for (const [name, field] of Object.entries(rule.config))
        assert(field.doc.length > 10, `${name} is not documented`);
    });
  });
