/** @file Graphs that were fused, split into passes or cut into segments compute what the whole graph does. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { differentiate } from "../../../../src/engine/autodiff/backward.ts";
import { fuse } from "../../../../src/engine/core/fuse.ts";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import { liveNodes, newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import { cutAtLateInputs, splitPasses } from "../../../../src/engine/core/split.ts";
import type { DeviceTensor } from "../../../../src/engine/runtime/backend.ts";
import { createReferenceBackend } from "../../../../src/engine/runtime/reference.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { generator } from "../op-case.ts";

const reference = createReferenceBackend();

describe("fuse", () => {
  it("joins a product with the sum that alone reads it", () => {
    const g = newGraph();
    const [x, w, c] = [
      g.input("x", "float32", [3, 4]),
      g.input("w", "float32", [5, 4]),
      g.input("c", "float32", [3, 5]),
    ];
    const bias = g.input("bias", "float32", [5]);
    const product = o.matmul(g, x, w, { transB: true, alpha: 0.5 });
    g.output("y", o.add(g, c, o.add(g, product, bias)));
    assert.deepEqual(ops(fuse(g).graph), ["Gemm", "Add"]);
    g.output("product", product);
    assert.deepEqual(ops(fuse(g).graph), ["MatMul", "Add", "Add"]);
  });

  it("leaves sums alone that broadcast otherwise, or whose product has leading axes", () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2, 3, 3]);
    g.output("batched", o.add(g, o.matmul(g, x, x), x));
    const y = g.input("y", "float32", [3, 3]);
    g.output("columns", o.add(g, o.matmul(g, y, y), g.input("column", "float32", [3, 1])));
    assert.equal(ops(fuse(g).graph).includes("Gemm"), false);
  });

  it("keeps every output's value", async () => {
    const { g } = block();
    const expected = await run(g, new Map());
    assert.deepEqual(await run(fuse(g).graph, new Map()), expected);
  });
});

describe("splitPasses", () => {
  for (const checkpointing of [false, true])
    it(`computes the whole in two programs, ${checkpointing ? "recomputing" : "keeping residuals"}`, async () => {
      const whole = block();
      for (const [name, gradient] of gradientsOf(whole)) whole.g.output(name, gradient);
      const expected = await run(whole.g, new Map());

      const traced = block({ bare: true });
      const gradients = gradientsOf(traced);
      const dy = traced.g.inputs.find(({ name }) => name === "dy");
      assert.ok(dy);
      const passes = splitPasses(
        traced.g,
        new Map([["y", traced.y]]),
        gradients,
        [dy.value],
        checkpointing,
      );
      assert.equal(passes.residuals.length === 0, checkpointing);
      const forward = await run(passes.forward, new Map());
      const backward = await run(passes.backward, forward);
      for (const name of ["y", ...gradients.keys()])
        assertClose(forward.get(name) ?? backward.get(name), expected.get(name));
    });
});

describe("cutAtLateInputs", () => {
  it("lets no segment read more late inputs than allowed, and computes the same", async () => {
    const { g } = block({ late: true });
    const expected = await run(g, new Map());
    const segments = cutAtLateInputs(g, 1);
    assert.ok(segments.length > 1);
    const values = new Map<string, Float64Array>();
    for (const segment of segments) {
      const late = segment.inputs.filter(({ binding }) => binding === "late");
      assert.ok(late.length <= 1);
      for (const [name, value] of await run(segment, values)) values.set(name, value);
    }
    for (const [name, value] of expected) assert.deepEqual(values.get(name), value);
  });
});

interface Block {
  readonly g: Graph;
  readonly y: Value;
  readonly weights: ReadonlyMap<string, Value>;
}

/** x + W₂ gelu(W₁ norm(x)), with updates of low rank. */
function block(options: { readonly bare?: boolean; readonly late?: boolean } = {}): Block {
  const g = newGraph();
  const x = g.input("x", "float32", [4, 3]);
  const scale = g.input("scale", "float32", [3]);
  const binding = options.late ? "late" : "resident";
  const w1 = g.input("w1", "float32", [5, 3], binding);
  const w2 = g.input("w2", "float32", [3, 5], binding);
  const [a, b] = [g.input("a", "float32", [2, 3]), g.input("b", "float32", [5, 2])];
  const weights = new Map([
    ["a", a],
    ["b", b],
    ["scale", scale],
  ]);
  const normed = o.rmsNorm(g, x, scale, 1e-5);
  const update = o.matmul(g, o.matmul(g, normed, a, { transB: true }), b, {
    transB: true,
    alpha: 2,
  });
  const hidden = o.gelu(g, o.add(g, o.matmul(g, normed, w1, { transB: true }), update), "none");
  const y = o.add(g, x, o.matmul(g, hidden, w2, { transB: true }));
  if (!options.bare) g.output("y", y);
  return { g, y, weights };
}

/** Gradients `d.…` of the weights for a gradient `dy` of the output. */
function gradientsOf({ g, y, weights }: Block): ReadonlyMap<string, Value> {
  const dy = g.input("dy", "float32", y.shape);
  const gradients = differentiate(g, new Map([[y, dy]]), [...weights.values()]);
  const named = new Map<string, Value>();
  for (const [name, value] of weights) {
    const gradient = gradients.get(value);
    assert.ok(gradient);
    named.set(`d.${name}`, gradient);
  }
  return named;
}

/** All outputs in the reference; inputs that `given` lacks have values of their name's own. */
async function run(
  g: Graph,
  given: ReadonlyMap<string, Float64Array>,
): Promise<Map<string, Float64Array>> {
  const feeds = new Map<string, DeviceTensor>();
  for (const { name, value } of g.inputs) {
    const next = generator(Buffer.from(name).reduce((sum, byte) => sum + byte, 0));
    const made = Float64Array.from({ length: elementCount(value.shape) }, () => next() - 0.5);
    feeds.set(name, reference.upload(value.dtype, value.shape, given.get(name) ?? made));
  }
  const outputs = new Map<string, Float64Array>();
  for (const [name, tensor] of await (await reference.compile(g)).run(feeds)) {
    const data = await reference.download(tensor);
    assert.ok(data instanceof Float64Array);
    outputs.set(name, data);
  }
  return outputs;
}

function assertClose(made: Float64Array | undefined, expected: Float64Array | undefined): void {
  assert.ok(made && expected);
  assert.equal(made.length, expected.length);
  // Fused products add in another order.
  made.forEach((value, index) => assert.ok(Math.abs(value - (expected[index] ?? NaN)) < 1e-12));
}

function ops(g: Graph): string[] {
  return liveNodes(g).map((node) => node.op);
}
