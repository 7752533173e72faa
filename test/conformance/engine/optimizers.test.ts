/** @file Every update rule of the catalog: reaches optima, has the state it declares, goes on from it exactly. */
import { lazyLinalg } from "../../../src/engine/runtime/linalg.ts";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { optimizers } from "../../../src/engine/catalog.ts";
import { createOptimizer, updatePrograms } from "../../../src/engine/network/optimizer.ts";
import { createParameters, layoutBytes } from "../../../src/engine/network/parameters.ts";
import type {
  Parameter,
  Parameters,
  ParameterSpec,
} from "../../../src/engine/network/parameters.ts";
import { createEstimator } from "../../../src/engine/network/estimator.ts";
import { randomNumbers } from "../../../src/engine/session/draw.ts";
import { createProgramCache } from "../../../src/engine/network/program-cache.ts";
import type { BoundRule } from "../../../src/engine/optimizers/define.ts";
import { createOrtBackend } from "../../../src/engine/runtime/ort.ts";
import { parseFields } from "../../../src/shared/experiment/parse-fields.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 1 });

/** Functions of each number, with their gradients and the place of the optimum. */
const functions = {
  bowl: { value: (w: number) => (w - 1) ** 2, gradient: (w: number) => 2 * (w - 1), optimum: 1 },
  "narrow bowl": {
    value: (w: number, i: number) => (i + 1) * (w + 0.5) ** 2,
    gradient: (w: number, i: number) => 2 * (i + 1) * (w + 0.5),
    optimum: -0.5,
  },
  "rounded corner": {
    value: (w: number) => Math.sqrt((w - 2) ** 2 + 0.01),
    gradient: (w: number) => (w - 2) / Math.sqrt((w - 2) ** 2 + 0.01),
    optimum: 2,
  },
  quartic: {
    value: (w: number) => (w - 0.25) ** 4 + 0.25 * (w - 0.25) ** 2,
    gradient: (w: number) => 4 * (w - 0.25) ** 3 + 0.5 * (w - 0.25),
    optimum: 0.25,
  },
} as const;

type Gradient = (w: number, i: number) => number;
/** What is to be made small: a function of each number, and its gradient. */
interface Task {
  readonly value: Gradient;
  readonly gradient: Gradient;
}

const random = randomNumbers(7);

/** A weight as layers have it, a query with two heads, a norm and a bias; and s B A of full rank, s = 2. */
const plain: readonly ParameterSpec[] = [
  { name: "tall", shape: [3, 2], decays: true, kind: "linear", blocks: ["one"] },
  { name: "wide", shape: [2, 4], decays: true, kind: "linear", headRows: 1, blocks: ["one"] },
  { name: "norm", shape: [3], decays: false, kind: "norm", blocks: ["two"] },
  { name: "bias", shape: [2], decays: false, kind: "bias", blocks: ["two"] },
];
const two: readonly ParameterSpec[] = [{ name: "two", shape: [2], decays: true }];
const place = { site: "site", scale: 2, shape: [2, 3] };
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

function lossOf(parameters: Parameters, value: Gradient): number {
  const numbers = [...parameters.all.values()].flatMap(({ pair, weight }) =>
    pair ? [] : [...weight].map(value),
  );
  const pairs = parameters.all.has("A") ? product(parameters).map(value) : [];
  return [...numbers, ...pairs].reduce((sum, x) => sum + x, 0);
}

/** Of the tensors of a block, as a backward pass has them; of all where gradients are kept. */
function fillGradients(
  parameters: Parameters,
  gradient: Gradient,
  takes: (parameter: Parameter) => boolean,
): void {
  for (const parameter of parameters.all.values()) {
    const { weight, gradient: into, pair } = parameter;
    if (!pair && takes(parameter)) weight.forEach((w, i) => (into[i] = gradient(w, i)));
  }
  if (!parameters.all.has("A") || !takes(parameters.get("A"))) return;
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

/** Whether a tensor of these blocks waits for another turn; null stands for all at once. */
function blocksApart(
  turn: string | undefined | null,
  blocks: readonly string[] | undefined,
): boolean {
  return turn !== null && blocks?.[0] !== turn;
}

for (const row of optimizers)
  describe(`optimizer ${row.name}`, () => {
    const { value } = parseFields(row.config, {});
    const rule = row.bind(value);
    const run = async (
      parameters: Parameters,
      { value: loss, gradient }: Task,
      from: number,
      to: number,
      rate = 0.05,
      steps = 600,
    ): Promise<void> => {
      const cache = createProgramCache(backend);
      const optimizer = createOptimizer(backend, cache, parameters, rule, {
        linalg: lazyLinalg(),
        normals: random.normals,
      });
      const estimator =
        rule.estimate && createEstimator(backend, cache, parameters, rule, random.normals);
      for (let t = from; t <= to; t++) {
        const lr = rate * (1 - (t - 1) / steps);
        if (estimator) {
          await estimator.step({ t, lr, loss: () => Promise.resolve(lossOf(parameters, loss)) });
          continue;
        }
        optimizer.addNoise(t);
        for (const block of rule.gradients === "consumed" ? ["one", "two", undefined] : [null]) {
          fillGradients(parameters, gradient, ({ blocks }) => !blocksApart(block, blocks));
          optimizer.removeNoise();
          await optimizer.step({
            t,
            lr,
            gradientScale: 1,
            takes: (own) => !blocksApart(block, own === undefined ? undefined : [own]),
          });
        }
      }
    };

    for (const [name, { optimum, ...task }] of Object.entries(functions))
      it(`reaches the optimum of the ${name}, or says why it may not`, async () => {
        // The slope along one direction of many says little of each number.
        const parameters = started(rule.estimate ? two : plain, rule);
        const before = lossOf(parameters, task.value);
        await run(parameters, task, 1, 600);
        if (row.stopsShort !== undefined) {
          assert(row.stopsShort.length > 20);
          assert(lossOf(parameters, task.value) < before);
          return;
        }
        for (const { name: tensor, weight } of parameters.all.values())
          for (const w of weight)
            assert(Math.abs(w - optimum) < 0.02, `${tensor}: ${w} is not ${optimum}`);
      });

    it("brings s B A to the optimum of a bowl", async () => {
      const parameters = started(factors, rule);
      const optimum = (i: number): number => 0.5 + Math.sin(3 * i);
      const task = {
        value: (w: number, i: number) => (w - optimum(i)) ** 2,
        gradient: (w: number, i: number) => 2 * (w - optimum(i)),
      };
      const [steps, rate] = rule.estimate ? [3000, 0.01] : [600, 0.02];
      await run(parameters, task, 1, steps, rate, steps);
      product(parameters).forEach((w, i) => {
        assert(Math.abs(w - optimum(i)) < 0.05, `${w} is not ${optimum(i)}`);
      });
    });

    it("goes on from its state to the same bits", async () => {
      const specs = [...plain, ...factors];
      const whole = started(specs, rule);
      await run(whole, functions.bowl, 1, 20);
      const first = started(specs, rule);
      await run(first, functions.bowl, 1, 9);
      const second = started(specs, rule);
      for (const { name, weight } of second.all.values()) {
        weight.set(first.get(name).weight);
        for (const [state, { data }] of second.statesOf(name)) data.set(first.state(name, state));
      }
      await run(second, functions.bowl, 10, 20);
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
      const rough: Task = {
        value: (w, i) => (w - 1 - Math.sin(3 * i)) ** 2 / 2,
        gradient: (w, i) => w - 1 - Math.sin(3 * i),
      };
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
