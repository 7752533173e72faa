/** @file Models: which operators each device is given, names, and bytes that depend on the program alone. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Graph } from "../../../../src/engine/core/graph.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import type { Device, OnnxNode } from "../../../../src/engine/onnx/emitter.ts";
import { devices } from "../../../../src/engine/onnx/emitter.ts";
import { emitModel, lowerGraph } from "../../../../src/engine/onnx/model.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { buildCase } from "../op-case.ts";
import { opCases } from "../op-cases.ts";
import { runOnce } from "../runtime/parity.ts";

/** What ONNX Runtime 1.30 lacks on WebGPU, and would run on the CPU without a word. */
const notOnWebgpu = ["FusedMatMul", "LogSoftmax", "Sign", "Round", "Mod", "GroupQueryAttention"];

function nodesOf(graph: Graph, device: Device): readonly OnnxNode[] {
  return lowerGraph(graph, device).emitter.nodes;
}

function opTypes(graph: Graph, device: Device): string[] {
  return nodesOf(graph, device).map(({ opType }) => opType);
}

describe("lowering", () => {
  it("gives every operator to every device", () => {
    for (const device of devices)
      for (const cases of Object.values(opCases))
        for (const build of cases)
          assert.ok(emitModel(buildCase(build).graph, device).bytes.length > 0);
  });

  it("gives WebGPU no operator that it lacks", () => {
    for (const cases of Object.values(opCases))
      for (const build of cases)
        for (const opType of opTypes(buildCase(build).graph, "webgpu"))
          assert.equal(notOnWebgpu.includes(opType), false, opType);
  });

  it("asks WebGPU for no second output of SimplifiedLayerNormalization, which it does not write", () => {
    for (const build of opCases.RmsNorm)
      for (const { opType, outputs } of nodesOf(buildCase(build).graph, "webgpu"))
        assert.ok(opType !== "SimplifiedLayerNormalization" || outputs.length === 1);
  });

  it("transposes inside the product where the device can, and over rows where it cannot", () => {
    const build = (rank: number): Graph => {
      const g = newGraph();
      const x = g.input("x", "float32", [2, 3, 4].slice(3 - rank));
      g.output("y", o.matmul(g, x, g.input("w", "float32", [5, 4]), { transB: true }));
      return g;
    };
    assert.deepEqual(opTypes(build(3), "cpu"), ["FusedMatMul"]);
    assert.deepEqual(opTypes(build(2), "cpu"), ["FusedMatMul"]);
    assert.deepEqual(opTypes(build(2), "webgpu"), ["Gemm"]);
    assert.deepEqual(opTypes(build(3), "webgpu"), ["Reshape", "Gemm", "Reshape"]);
  });

  it("leaves out outputs that nothing reads", () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2, 4]);
    g.output(
      "y",
      o.layerNorm(g, x, g.input("w", "float32", [4]), g.input("b", "float32", [4]), 1e-5),
    );
    assert.deepEqual(
      nodesOf(g, "cpu").map(({ outputs }) => outputs.length),
      [1],
    );
  });
});

describe("a model", () => {
  it("has the same bytes for equal programs", () => {
    const bytes = (detour: boolean): Uint8Array => {
      const g = newGraph();
      const x = g.input("x", "float32", [2, 3]);
      g.input("unread", "float32", [1]);
      if (detour) o.log(g, o.exp(g, x));
      g.output("y", o.softmax(g, o.scale(g, x, 0.5)));
      return emitModel(g, "cpu").bytes;
    };
    assert.deepEqual(bytes(false), bytes(true));
  });

  it("lists the inputs that are read, under the graph's names", () => {
    const g = newGraph();
    const x = g.input("layer.0/x", "float32", [2]);
    g.input("unread", "float32", [1]);
    g.output("y", o.neg(g, x));
    assert.deepEqual(emitModel(g, "cpu").inputs, ["layer.0/x"]);
  });

  it("refuses names that would not be one tensor's", () => {
    const named = (input: string, output: string): Graph => {
      const g = newGraph();
      g.output(output, o.neg(g, g.input(input, "float32", [2])));
      return g;
    };
    assert.throws(() => emitModel(named("x", "x"), "cpu"), /"x" names two tensors/u);
    assert.throws(() => emitModel(named("%1", "y"), "cpu"), /"%1" cannot name/u);
    assert.throws(() => emitModel(named("x", ""), "cpu"), /"" cannot name/u);
  });

  it("copies where an output is an input, a constant, or another output as well", async () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2]);
    const y = o.neg(g, x);
    for (const name of ["y", "again", "third"]) g.output(name, y);
    g.output("itself", x);
    g.output("constant", o.constant(g, "int32", [2], Int32Array.of(4, 5)));
    const backend = await createOrtBackend({ device: "cpu", threads: 1 });
    const made = await runOnce(backend, g, new Map([["x", Float32Array.of(1, -2)]]));
    const negated = Float32Array.of(-1, 2);
    assert.deepEqual(
      [...made],
      [
        ["y", negated],
        ["again", negated],
        ["third", negated],
        ["itself", Float32Array.of(1, -2)],
        ["constant", Int32Array.of(4, 5)],
      ],
    );
  });
});
