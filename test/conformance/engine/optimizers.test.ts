/** @file Every update rule of the catalog: reaches optima, has the state it declares, goes on from it exactly. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { optimizers } from "../../../src/engine/catalog.ts";
import { createOptimizer, updatePrograms } from "../../../src/engine/network/optimizer.ts";
import { createParameters, layoutBytes } from "../../../src/engine/network/parameters.ts";
import type { Parameters, ParameterSpec } from "../../../src/engine/network/parameters.ts";
import { createProgramCache } from "../../../src/engine/network/program-cache.ts";
import type { BoundRule } from "../../../src/engine/optimizers/define.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });

/** Functions of each number, with their gradients and the place of the optimum. */
const functions = {
  bowl: { gradient: (w: number) => 2 * (w - 1), optimum: 1 },
  "narrow bowl": { gradient: (w: number, i: number) => 2 * (i + 1) * (w + 0.5), optimum: -0.5 },
  "rounded corner": {
    gradient: (w: number) => (w - 2) / Math.sqrt((w - 2) ** 2 + 0.01),
    optimum: 2,
  },
  quartic: { gradient: (w: number) => 4 * (w - 0.25) ** 3 + 0.5 * (w - 0.25), optimum: 0.25 },
} as const;

type Gradient = (w: number, i: number) => number;

/** A weight as layers have it, a query with two heads, a norm and a bias; and s B A of full rank, s = 2. */
const plain: readonly ParameterSpec[] = [
  { name: "tall", shape: [3, 2], decays: true, kind: "linear", blocks: ["one"] },
  { name: "wide", shape: [2, 4], decays: true, kind: "linear", headRows: 1, blocks: ["one"] },
  { name: "norm", shape: [3], decays: false, kind: "norm", blocks: ["two"] },
  { name: "bias", shape: [2], decays: false, kind: "bias", blocks: ["two"] },
];
const place = { site: "site", scale: 2 };
const factors: readonly ParameterSpec[] = [
  { name: "A", shape: [2, 3], decays: true, kind: "factor", pair: { ...place, role: "A" } },
  { name: "B", shape: [2, 2], decays: true, kind: "factor", pair: { ...place, role: "B" } },
];

/** s B A [2, 3]. */
function product(parameters: Parameters): readonly number[] {
  const [A, B] = [parameters.get("A").weight, parameters.get("B").weight];
  return Array.from({ length: 6 }, (_, index) => {
    const [row, column] = [Math.floor(index / 3), index % 3];
    return [0, 1].reduce((sum, k) => sum + 2 * (B[row * 2 + k] ?? 0) * (A[k * 3 + column] ?? 0), 0);
  });
}

function fillGradients(parameters: Parameters, gradient: Gradient): void {
  for (const { weight, gradient: into, pair } of parameters.all.values())
    if (!pair) weight.forEach((w, i) => (into[i] = gradient(w, i)));
  if (!parameters.all.has("A")) return;
  const [A, B] = [parameters.get("A"), parameters.get("B")];
  const G = product(parameters).map(gradient);
  A.gradient.forEach((_, i) => {
    const [k, column] = [Math.floor(i / 3), i % 3];
    A.gradient[i] =
      2 * ((B.weight[k] ?? 0) * (G[column] ?? 0) + (B.weight[2 + k] ?? 0) * (G[3 + column] ?? 0));
  });
  B.gradient.forEach((_, i) => {
    const [row, k] = [Math.floor(i / 2), i % 2];
    B.gradient[i] = [0, 1, 2].reduce(
      (sum, j) => sum + 2 * (G[row * 3 + j] ?? 0) * (A.weight[k * 3 + j] ?? 0),
      0,
    );
  });
}

function started(specs: readonly ParameterSpec[], rule: BoundRule): Parameters {
  const parameters = createParameters(specs, rule);
  if (parameters.all.has("A")) parameters.get("A").weight.set([0.5, -0.3, 0.2, 0.1, 0.4, -0.6]);
  return parameters;
}

for (const row of optimizers)
  describe(`optimizer ${row.name}`, () => {
    const { value } = parseFields(row.config, {});
    const rule = row.bind(value);
    const run = async (
      parameters: Parameters,
      gradient: Gradient,
      from: number,
      to: number,
      rate = 0.05,
    ): Promise<void> => {
      const optimizer = createOptimizer(backend, createProgramCache(backend), parameters, rule);
      for (let t = from; t <= to; t++) {
        fillGradients(parameters, gradient);
        await optimizer.step({ t, lr: rate * (1 - (t - 1) / 600), gradientScale: 1 });
      }
    };

    for (const [name, { gradient, optimum }] of Object.entries(functions))
      it(`reaches the optimum of the ${name}`, async () => {
        const parameters = started(plain, rule);
        await run(parameters, gradient, 1, 600);
        for (const { name: tensor, weight } of parameters.all.values())
          for (const w of weight)
            assert(Math.abs(w - optimum) < 0.02, `${tensor}: ${w} is not ${optimum}`);
      });

    it("brings s B A to the optimum of a bowl", async () => {
      const parameters = started(factors, rule);
      const optimum = (i: number): number => 0.5 + Math.sin(3 * i);
      await run(parameters, (w, i) => 2 * (w - optimum(i)), 1, 600, 0.02);
      product(parameters).forEach((w, i) => {
        assert(Math.abs(w - optimum(i)) < 0.05, `${w} is not ${optimum(i)}`);
      });
    });

    it("goes on from its state to the same bits", async () => {
      const specs = [...plain, ...factors];
      const whole = started(specs, rule);
      await run(whole, functions.bowl.gradient, 1, 20);
      const first = started(specs, rule);
      await run(first, functions.bowl.gradient, 1, 9);
      const second = started(specs, rule);
      for (const { name, weight } of second.all.values()) {
        weight.set(first.get(name).weight);
        for (const [state, { data }] of second.statesOf(name)) data.set(first.state(name, state));
      }
      await run(second, functions.bowl.gradient, 10, 20);
      for (const { name, weight } of whole.all.values())
        assert.deepEqual(second.get(name).weight, weight);
    });

    it("allocates what the plan counts, and uses every state that it declares", async () => {
      const specs = [...plain, ...factors];
      const parameters = started(specs, rule);
      const bytes = layoutBytes(specs, rule);
      assert.equal(bytes.state, 4 * parameters.stateCount);
      const arrays = new Set(parameters.spans.map(({ gradient }) => gradient.buffer));
      const gradients = [...arrays].reduce((sum, buffer) => sum + buffer.byteLength, 0);
      assert.equal(bytes.gradients, gradients);
      assert(updatePrograms(rule, specs).length > 0);
      const rough: Gradient = (w, i) => w - 1 - Math.sin(3 * i);
      await run(parameters, rough, 1, 3);
      for (const { name } of parameters.all.values())
        for (const [state, { data }] of parameters.statesOf(name))
          // A projection that leaves nothing out has no rest whose norm could be kept.
          assert(state === "norm" || data.some((x) => x !== 0), `${state} of ${name} stays 0`);
    });

    it("documents every field", () => {
      for (const [name, field] of Object.entries(row.config))
        assert(field.doc.length > 10, `${name} is not documented`);
    });
  });
