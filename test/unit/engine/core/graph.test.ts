/** @file Graphs: shape errors at the call that makes them, equal nodes once, dead nodes dropped, and the printed form. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Graph } from "../../../../src/engine/core/graph.ts";
import { liveNodes, newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import { printGraph } from "../../../../src/engine/core/print.ts";
import type { DType, Shape } from "../../../../src/shared/dtypes.ts";
import { InternalError } from "../../../../src/shared/errors.ts";
import { buildCase } from "../op-case.ts";
import { opCases } from "../op-cases.ts";

describe("operators", () => {
  it("throw where they are called, and name operator and shapes", () => {
    const g = newGraph();
    let count = 0;
    const x = (shape: Shape, dtype: DType = "float32"): ReturnType<Graph["input"]> =>
      g.input(`x${count++}`, dtype, shape);
    const wrong: readonly (readonly [() => unknown, RegExp])[] = [
      [() => o.add(g, x([2, 3]), x([4])), /Add: shapes \[2, 3\] and \[4\]/u],
      [() => o.add(g, x([2]), x([2], "int32")), /Add: dtypes float32 and int32/u],
      [() => o.less(g, x([2]), x([3])), /Less: shapes \[2\] and \[3\]/u],
      [() => o.where(g, x([2]), x([2]), x([2])), /Where needs a bool/u],
      [() => o.where(g, x([2], "bool"), x([2]), x([2], "int32")), /Where: dtypes/u],
      [() => o.matmul(g, x([2, 3]), x([2, 3])), /MatMul: shapes \[2, 3\] and \[2, 3\].* 3 and 2/u],
      [() => o.matmul(g, x([3]), x([3, 2])), /MatMul: .*needs matrices/u],
      [() => o.matmul(g, x([2, 2, 3]), x([4, 3, 3])), /MatMul: shapes \[2\] and \[4\]/u],
      [() => o.reshape(g, x([2, 3]), [4]), /Reshape: shapes \[2, 3\] and \[4\]/u],
      [() => o.expand(g, x([2]), [3]), /Expand: shapes \[2\] and \[3\]/u],
      [() => o.expand(g, x([2, 2]), [2]), /Expand: shapes \[2, 2\] and \[2\]/u],
      [() => o.transpose(g, x([2, 3]), [0]), /Transpose: \[2,3\] by \[0\]/u],
      [() => o.concat(g, [x([2, 3]), x([2, 4])], 0), /Concat: shapes \[2, 3\] and \[2, 4\]/u],
      [() => o.slice(g, x([3]), 0, 2, 5), /Slice: 2:5 of axis 0 in \[3\]/u],
      [() => o.gather(g, x([3]), x([2])), /Gather needs int32 indices, not float32/u],
      [() => o.rmsNorm(g, x([2, 3]), x([2]), 1e-5), /RmsNorm: x \[2,3\], scale \[2\]/u],
      [() => o.rope(g, x([1, 2, 1, 4]), x([1, 2, 1, 4]), x([1, 2, 1, 4])), /Rope/u],
      [() => o.crossEntropy(g, x([2, 3]), x([3], "int32")), /CrossEntropy: logits \[2,3\]/u],
      [() => o.constant(g, "float32", [3], Float32Array.of(1)), /constant of 1 elements.*\[3\]/u],
      [() => g.input("empty", "float32", [0]), /shape \[0\]/u],
      [() => g.input("x0", "float32", [1]), /x0 is declared twice/u],
    ];
    for (const [call, message] of wrong)
      assert.throws(call, (error) => error instanceof InternalError && message.test(error.message));
  });

  it("give every case the shape and type that its reference has", () => {
    const { outputs } = buildCase(({ g, float }) => [
      o.matmul(g, float([2, 1, 3, 4]), float([5, 4, 2])),
    ]);
    assert.deepEqual(outputs[0]?.shape, [2, 5, 3, 2]);
    assert.ok(Object.values(opCases).every((cases) => cases.length > 0));
  });
});

describe("a graph", () => {
  it("makes equal nodes once, and different ones apart", () => {
    const g = newGraph();
    const [x, y] = [g.input("x", "float32", [2, 2]), g.input("y", "float32", [2, 2])];
    assert.equal(o.add(g, x, y), o.add(g, x, y));
    assert.notEqual(o.add(g, x, y), o.add(g, y, x));
    assert.equal(o.scalar(g, 0.5), o.scalar(g, 0.5));
    assert.notEqual(o.scalar(g, 0), o.scalar(g, -0));
    assert.notEqual(o.matmul(g, x, y), o.matmul(g, x, y, { transA: true }));
    assert.notEqual(o.matmul(g, x, y), o.matmul(g, x, y, { alpha: 2 }));
    assert.notEqual(o.reduceSum(g, x, [0]), o.reduceSum(g, x, [1]));
    assert.equal(o.reduceSum(g, x, [-1]), o.reduceSum(g, x, [1]));
    const large = (fill: number): Float32Array => new Float32Array(100).fill(fill);
    const kept = large(1);
    assert.equal(o.constant(g, "float32", [100], kept), o.constant(g, "float32", [100], kept));
    assert.notEqual(
      o.constant(g, "float32", [100], kept),
      o.constant(g, "float32", [100], large(1)),
    );
  });

  it("adds no node for an operator that changes nothing", () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2, 1]);
    for (const same of [
      o.scale(g, x, 1),
      o.cast(g, x, "float32"),
      o.reshape(g, x, [2, 1]),
      o.expand(g, x, [2, 1]),
      o.transpose(g, x, [0, 1]),
      o.reduceSum(g, x, [1]),
      o.slice(g, x, 0, 0, 2),
      o.pad(g, x, 0, 0, 0),
      o.concat(g, [x], 0),
    ])
      assert.equal(same, x);
    assert.equal(g.nodes.length, 0);
  });

  it("leaves out what no output needs", () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2]);
    g.input("unread", "float32", [2]);
    const y = o.exp(g, x);
    o.log(g, o.neg(g, y));
    g.output("y", y);
    assert.deepEqual(
      liveNodes(g).map((node) => node.op),
      ["Exp"],
    );
    assert.equal(printGraph(g).includes("unread"), false);
  });
});

describe("the printed form", () => {
  it("has a line for each input, node and output", () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2, 3]);
    const w = g.input("w", "float32", [4, 3], "late");
    const h = o.matmul(g, x, w, { transB: true, alpha: 0.5 });
    g.output(
      "y",
      o.mul(g, o.rmsNorm(g, h, g.input("scale", "float32", [4]), 1e-5), o.scalar(g, 2)),
    );
    g.output("h", h);
    assert.equal(
      printGraph(g),
      `input x: float32[2,3]
late w: float32[4,3]
input scale: float32[4]
%3: float32[2,4] = MatMul(x, w) {transA=false transB=true alpha=0.5}
%4: float32[2,4], %5: float32[2,1] = RmsNorm(%3, scale) {epsilon=0.00001}
%6: float32[] = Constant() {data=[2]}
%7: float32[2,4] = Mul(%4, %6)
output y = %7
output h = %3
`,
    );
  });

  it("is the same for equal programs, however they were built, and differs with any constant", () => {
    const build = (detour: boolean, value: number): string => {
      const g = newGraph();
      const x = g.input("x", "float32", [40]);
      if (detour) o.neg(g, o.exp(g, x));
      g.output("y", o.add(g, x, o.constant(g, "float32", [40], new Float32Array(40).fill(value))));
      return printGraph(g);
    };
    assert.equal(build(false, 1), build(true, 1));
    assert.notEqual(build(false, 1), build(false, 1.0000001));
  });
});
