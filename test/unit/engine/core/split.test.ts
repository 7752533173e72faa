/** @file A graph cut into passes or segments computes what it computes whole. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import { liveNodes, newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import type { ForwardBackward } from "../../../../src/engine/core/split.ts";
import { copyGraph, cutAtLateInputs, splitPasses } from "../../../../src/engine/core/split.ts";
import type { HostData } from "../../../../src/engine/runtime/backend.ts";
import { createReferenceBackend } from "../../../../src/engine/runtime/reference.ts";
import { at } from "../../../../src/shared/errors.ts";
import { filled } from "../../../reference/deterministic.ts";
import { runOnce } from "../runtime/parity.ts";

const reference = createReferenceBackend();
type Data = ReadonlyMap<string, HostData>;

/** Data for all of a graph's inputs, by name alone; what `known` has comes from there. */
function dataFor(graph: Graph, known: Data = new Map<string, HostData>()): Data {
  return new Map(
    graph.inputs.map(({ name, value }) => [
      name,
      known.get(name) ?? filled({ name, shape: value.shape, scale: 1, offset: 0 }),
    ]),
  );
}

/** y = three layers tanh(h Wᵀ + b), the weights decoded late. */
function threeLayers(g: Graph): {
  readonly x: Value;
  readonly weights: readonly Value[];
  readonly y: Value;
} {
  const x = g.input("x", "float32", [4, 3]);
  const weights = [0, 1, 2].map((layer) => g.input(`W${layer}`, "float32", [3, 3], "late"));
  const bias = g.input("b", "float32", [3]);
  const y = weights.reduce(
    (h, W) => o.tanh(g, o.add(g, o.matmul(g, h, W, { transB: true }), bias)),
    x,
  );
  return { x, weights, y };
}

describe("segments cut at late inputs", () => {
  const whole = newGraph();
  const { x, y } = threeLayers(whole);
  whole.output("y", y);
  whole.output("first", o.scale(whole, x, 2));

  for (const [most, count] of [
    [1, 3],
    [2, 2],
    [3, 1],
  ] as const)
    it(`are ${count} where ${most} of three fit`, async () => {
      const segments = cutAtLateInputs(whole, most);
      assert.equal(segments.length, count);
      const made = new Map<string, HostData>(dataFor(whole));
      for (const segment of segments) {
        const late = segment.inputs.filter(({ binding }) => binding === "late");
        assert(late.length <= most);
        for (const { name } of segment.inputs)
          assert(made.has(name), `${name} is read before a segment makes it`);
        for (const [name, data] of await runOnce(reference, segment, dataFor(segment, made)))
          made.set(name, data);
      }
      const expected = await runOnce(reference, whole, dataFor(whole));
      for (const [name, data] of expected) assert.deepEqual(made.get(name), data);
    });

  it("hand over no constants", () => {
    const g = newGraph();
    const [first, second] = ["W", "V"].map((name) => g.input(name, "float32", [2, 2], "late"));
    assert(first && second);
    const shared = o.constant(g, "float32", [2, 2], Float32Array.of(1, 2, 3, 4));
    g.output("y", o.matmul(g, o.add(g, o.matmul(g, shared, first), shared), second));
    const crossing = cutAtLateInputs(g, 1).flatMap(({ outputs }) => [...outputs.keys()]);
    assert.deepEqual(crossing, ["cross.0", "y"]);
  });

  it("cannot part what one operator reads", () => {
    const g = newGraph();
    const [first, second] = ["W", "V"].map((name) => g.input(name, "float32", [2, 2], "late"));
    assert(first && second);
    g.output("y", o.matmul(g, first, second));
    assert.throws(() => cutAtLateInputs(g, 1), /MatMul reads more than 1 late inputs/u);
    assert.equal(cutAtLateInputs(g, 2).length, 1);
  });
});

describe("forward and backward passes", () => {
  /** The joint graph, its passes, and the names of both passes' own outputs. */
  const trace = (checkpointing: boolean): ForwardBackward & { readonly joint: Graph } => {
    const g = newGraph();
    const { x, weights, y } = threeLayers(g);
    const seed = g.input("d.y", "float32", y.shape);
    const gradients = differentiate(g, new Map([[y, seed]]), [x, ...weights]);
    const backward = new Map([x, ...weights].map((value, i) => [`d${i}`, gradients.get(value)]));
    const wanted = new Map<string, Value>();
    for (const [name, value] of backward) {
      assert(value);
      wanted.set(name, value);
    }
    const passes = splitPasses(g, new Map([["y", y]]), wanted, [seed], checkpointing);
    return { ...passes, joint: copyGraph(g) };
  };

  for (const checkpointing of [false, true])
    it(`give what the joint graph gives, ${checkpointing ? "recomputed" : "with residuals"}`, async () => {
      const { forward, backward, joint } = trace(checkpointing);
      const kept = await runOnce(reference, forward, dataFor(forward));
      const made = await runOnce(reference, backward, dataFor(backward, kept));
      for (const [name, data] of await runOnce(reference, joint, dataFor(joint)))
        assert.deepEqual(made.get(name) ?? kept.get(name), data, name);
    });

  it("keep products, and with checkpointing nothing", () => {
    const { residuals, backward } = trace(false);
    assert.deepEqual(
      residuals.map(({ shape }) => shape),
      [
        [4, 3],
        [4, 3],
        [4, 3],
      ],
    );
    const recomputed = trace(true);
    assert.deepEqual(recomputed.residuals, []);
    const products = (graph: Graph): number =>
      liveNodes(graph).filter(({ op }) => op === "MatMul" || op === "Gemm").length;
    assert.equal(products(recomputed.backward), products(backward) + 3);
    assert.deepEqual(
      at(recomputed.backward.inputs, 0).value.shape,
      recomputed.forward.inputs[0]?.value.shape,
    );
  });
});
