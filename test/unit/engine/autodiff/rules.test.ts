/** @file Every gradient rule against central differences in the float64 reference. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import { vjpRules } from "../../../../src/engine/autodiff/rules.ts";
import type { Graph, OpName, Value } from "../../../../src/engine/core/graph.ts";
import { liveNodes, newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import type { HostData } from "../../../../src/engine/runtime/backend.ts";
import { createReferenceBackend } from "../../../../src/engine/runtime/reference.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { at } from "../../../../src/shared/errors.ts";
import type { CaseData, OpCase } from "../op-case.ts";
import { buildCase, generator } from "../op-case.ts";
import { opCases } from "../op-cases.ts";

const reference = createReferenceBackend();

/** Step of the differences: their error is then about 1e-10 of the third derivative and 1e-11 of the value. */
const step = 1e-5;

/** The constants inside rules are float32 numbers, each right to 6e-8. */
const tolerance = 1e-6;

/** What has no gradient, said a second time on purpose: a rule that is lost must be noticed. */
const nondifferentiable: readonly OpName[] = [
  "Constant",
  "Equal",
  "Less",
  "Sign",
  "Detach",
  "Round",
  // Made after differentiation.
  "Gemm",
];

describe("gradient rules", () => {
  it("exist for every operator but those that have no gradient", () => {
    const without = Object.entries(vjpRules).filter(([, rule]) => rule === "nondifferentiable");
    assert.deepEqual(without.map(([op]) => op).toSorted(), nondifferentiable.toSorted());
  });

  for (const [op, cases] of Object.entries(opCases)) {
    if (nondifferentiable.some((name) => name === op)) continue;
    it(`of ${op} equal central differences`, async () => {
      let checked = 0;
      for (const [index, build] of cases.entries())
        checked += await checkGradients(build, `${op} case ${index}`);
      assert.ok(op === "Cast" || checked > 0, "no case has a trained input");
    });
  }

  it("give half to each of two that tie in Maximum and Minimum", async () => {
    for (const op of [o.maximum, o.minimum]) {
      const gradients = await gradientsAt(op, [
        [1, 2, 5],
        [1, 3, 4],
      ]);
      assert.deepEqual(
        gradients.map((gradient) => gradient[0]),
        [0.5, 0.5],
      );
    }
  });

  it("are 0 at the corner of Relu and of Abs", async () => {
    assert.deepEqual(await gradientsAt((g, x) => o.relu(g, x), [[0, -1, 2]]), [[0, 0, 1]]);
    assert.deepEqual(await gradientsAt((g, x) => o.abs(g, x), [[0, -1, 2]]), [[0, -1, 1]]);
  });

  it("read Σ |x dx| of a gauge, and pass on what comes", async () => {
    const gradients = await gradientsAt(
      (g, x, reading) =>
        o.mul(g, o.gauge(g, x, reading), o.constant(g, "float32", [3], Float32Array.of(2, -1, 0))),
      [[1, -3, 5], [0]],
    );
    assert.deepEqual(gradients, [[2, -1, 0], [5]]);
  });

  it("share ReduceMax among equal maxima", async () => {
    const gradients = await gradientsAt((g, x) => o.reduceMax(g, x, [0]), [[3, 1, 3]]);
    assert.deepEqual(gradients, [[0.5, 0, 0.5]]);
  });

  it("stop at integers: Cast passes gradients between floats alone", async () => {
    const g = newGraph();
    const x = g.input("x", "int32", [2]);
    const y = o.cast(g, x, "float32");
    assert.equal(differentiate(g, new Map([[y, y]]), [x]).size, 0);
    const [gradient] = await gradientsAt(
      (graph, v) => o.cast(graph, o.cast(graph, v, "float16"), "float32"),
      [[1, 2]],
    );
    assert.deepEqual(gradient, [1, 1]);
  });

  it("give nothing to what leads to no seed, and sum what comes from several", async () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2]);
    const unused = g.input("unused", "float32", [2]);
    const ones = o.constant(g, "float32", [2], Float32Array.of(1, 1));
    const seeds = new Map([o.mul(g, x, x), o.neg(g, x)].map((y) => [y, ones]));
    const gradients = differentiate(g, seeds, [x, unused]);
    assert.equal(gradients.has(unused), false);
    const dx = gradients.get(x);
    assert.ok(dx);
    g.output("dx", dx);
    const data = new Map([
      ["x", Float32Array.of(3, -1)],
      ["unused", Float32Array.of(0, 0)],
    ]);
    assert.deepEqual(Array.from(valueOf(await evaluate(g, data), "dx")), [5, -3]);
  });

  it("refuse a gradient that they would drop: that of a second output", () => {
    const g = newGraph();
    const logits = g.input("logits", "float32", [2, 3]);
    const { logProbabilities } = o.crossEntropy(g, logits, g.input("labels", "int32", [2]));
    const seeds = new Map([[logProbabilities, logits]]);
    assert.throws(() => differentiate(g, seeds, [logits]), /second output of CrossEntropy/u);
  });

  it("leave frozen operands alone: no gradient of a frozen weight is part of the program", () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2, 3]);
    const w = g.input("w", "float32", [4, 3]);
    const y = o.matmul(g, x, w, { transB: true });
    const dx = differentiate(g, new Map([[y, g.input("dy", "float32", [2, 4])]]), [x]).get(x);
    assert.ok(dx);
    g.output("dx", dx);
    assert.equal(liveNodes(g).length, 1);
  });
});

/** Compares all gradients of a case; the number of elements compared. */
async function checkGradients(build: OpCase, title: string): Promise<number> {
  const plain = buildCase(build);
  const joint = buildCase(build);
  const seeds = new Map<Value, Value>();
  const weights: Float32Array[] = [];
  const random = generator(7);
  for (const [index, output] of joint.outputs.entries()) {
    seeds.set(output, joint.graph.input(`seed${index}`, output.dtype, output.shape));
    weights.push(Float32Array.from({ length: elementCount(output.shape) }, () => random() - 0.5));
  }
  const gradients = differentiate(joint.graph, seeds, [...joint.trained.values()]);
  for (const [name, value] of joint.trained) {
    const gradient = gradients.get(value);
    assert.ok(gradient, `${title}: ${name} has no gradient`);
    assert.deepEqual(gradient.shape, value.shape);
    joint.graph.output(`d${name}`, gradient);
  }
  const seeded = weights.map((weight, index) => [`seed${index}`, weight] as const);
  const made = await evaluate(joint.graph, new Map([...joint.data, ...seeded]));

  /** Σ weight · output with one input element moved. */
  const objective = async (name: string, moved: Float64Array): Promise<number> => {
    const outputs = await evaluate(
      plain.graph,
      new Map<string, CaseData | Float64Array>([...plain.data, [name, moved]]),
    );
    return weights.reduce((sum, weight, index) => {
      const output = valueOf(outputs, `y${index}`);
      return (
        sum + weight.reduce((total, factor, position) => total + factor * at(output, position), 0)
      );
    }, 0);
  };
  let compared = 0;
  for (const name of plain.trained.keys()) {
    const start = Float64Array.from(valueOf(plain.data, name));
    for (const [position, value] of start.entries()) {
      const above = await objective(name, start.with(position, value + step));
      const below = await objective(name, start.with(position, value - step));
      const difference = (above - below) / (2 * step);
      const gradient = at(valueOf(made, `d${name}`), position);
      assert.ok(
        Math.abs(gradient - difference) <= tolerance * Math.max(1, Math.abs(difference)),
        `${title}: the gradient of ${name}[${position}] is ${gradient}, the difference ${difference}`,
      );
      compared += 1;
    }
  }
  return compared;
}

/** The gradients of Σ op(inputs) by each input, at points given as vectors. */
async function gradientsAt(
  op: (g: Graph, ...inputs: [Value, Value]) => Value,
  points: readonly (readonly number[])[],
): Promise<number[][]> {
  const g = newGraph();
  const inputs = points.map((point, index) => g.input(`x${index}`, "float32", [point.length]));
  const y = op(g, at(inputs, 0), at(inputs, inputs.length - 1));
  const ones = o.expand(g, o.scalar(g, 1), y.shape);
  const gradients = differentiate(g, new Map([[y, ones]]), inputs);
  for (const [index, input] of inputs.entries()) {
    const gradient = gradients.get(input);
    assert.ok(gradient);
    g.output(`d${index}`, gradient);
  }
  const data = new Map(points.map((point, index) => [`x${index}`, Float64Array.from(point)]));
  const made = await evaluate(g, data);
  return inputs.map((_, index) => Array.from(valueOf(made, `d${index}`)));
}

type Values = ReadonlyMap<string, ArrayLike<number>>;

/** All outputs of a graph in the reference. */
async function evaluate(
  graph: Graph,
  data: ReadonlyMap<string, CaseData | Float64Array>,
): Promise<Values> {
  const feeds = graph.inputs.map(({ name, value }) => {
    const fed = data.get(name);
    assert.ok(fed, name);
    return [name, reference.upload(value.dtype, value.shape, fed)] as const;
  });
  const made = await (await reference.compile(graph)).run(new Map(feeds));
  const values = new Map<string, ArrayLike<number>>();
  for (const [name, tensor] of made) values.set(name, numbers(await reference.download(tensor)));
  return values;
}

function numbers(data: HostData): ArrayLike<number> {
  return Float64Array.from(data, Number);
}

function valueOf(values: Values, name: string): ArrayLike<number> {
  const value = values.get(name);
  assert.ok(value, name);
  return value;
}
