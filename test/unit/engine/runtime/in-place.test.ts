/** @file Outputs written into given memory on the CPU, also over an input: right, to the bit, and refused where unsafe. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import * as o from "../../../../src/engine/core/ops.ts";
import * as c from "../../../../src/engine/core/columns.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import type { Shape } from "../../../../src/shared/dtypes.ts";
import { elementCount } from "../../../../src/shared/dtypes.ts";
import { at } from "../../../../src/shared/errors.ts";
import { generator } from "../op-case.ts";

const backend = await createOrtBackend({ device: "cpu", threads: 2 });

function random(shape: Shape, seed: number): Float32Array {
  const next = generator(seed);
  return Float32Array.from({ length: elementCount(shape) }, () => next() - 0.5);
}

interface Built {
  readonly inputs: readonly Value[];
  readonly output: Value;
  /** Which input the output overwrites. */
  readonly over: number;
}

/** Runs a graph with fresh outputs and over an input's own memory; both must agree to the bit, five times. */
async function assertInPlace(build: (g: Graph) => Built, indices?: Int32Array): Promise<void> {
  const g = newGraph();
  const { inputs, output, over } = build(g);
  g.output("result", output);
  const program = await backend.compile(g);
  const names = inputs.map((value) => g.inputs.find((input) => input.value === value)?.name ?? "");
  for (let round = 0; round < 5; round++) {
    const feed = (): Map<string, ReturnType<typeof backend.upload>> =>
      new Map(
        inputs.map(({ dtype, shape }, index) => {
          const data = dtype === "int32" && indices ? indices : random(shape, round * 9 + index);
          return [at(names, index), backend.upload(dtype, shape, data)];
        }),
      );
    const fresh = (await program.run(feed())).get("result");
    const feeds = feed();
    const target = feeds.get(at(names, over));
    assert.ok(fresh && target);
    const made = (await program.run(feeds, new Map([["result", target]]))).get("result");
    assert.equal(made, target);
    assert.deepEqual(await backend.download(target), await backend.download(fresh));
  }
  await program.dispose();
}

describe("outputs over an input", () => {
  it("add a product to a sum of gradients: acc ← acc + xᵀ y", async () => {
    // From one thread's block to many; ONNX Runtime makes one Gemm of it, which copies acc first.
    const sizes: readonly (readonly [number, number, number])[] = [
      [1, 1, 1],
      [8, 5, 3],
      [64, 128, 96],
      [300, 257, 129],
      [1024, 8, 576],
    ];
    for (const [rows, m, n] of sizes)
      await assertInPlace((g) => {
        const acc = g.input("acc", "float32", [m, n]);
        const x = g.input("x", "float32", [rows, m]);
        const y = g.input("y", "float32", [rows, n]);
        return {
          inputs: [acc, x, y],
          output: o.add(g, acc, o.matmul(g, x, y, { transA: true, alpha: 2 })),
          over: 0,
        };
      });
  });

  it("add batched products and plain sums", async () => {
    await assertInPlace((g) => {
      const acc = g.input("acc", "float32", [3, 40, 70]);
      const x = g.input("x", "float32", [3, 40, 50]);
      const y = g.input("y", "float32", [3, 50, 70]);
      return { inputs: [acc, x, y], output: o.add(g, o.matmul(g, x, y), acc), over: 0 };
    });
    await assertInPlace((g) => {
      const acc = g.input("acc", "float32", [577, 131]);
      const x = g.input("x", "float32", [4, 577, 131]);
      const sum = o.reshape(g, o.reduceSum(g, x, [0]), [577, 131]);
      return { inputs: [acc, x], output: o.add(g, acc, sum), over: 0 };
    });
  });

  it("add rows to a table, repeated ones as well: acc[i] ← acc[i] + u", async () => {
    const indices = Int32Array.from({ length: 700 }, (_, row) => (row * row) % 50);
    await assertInPlace((g) => {
      const table = g.input("table", "float32", [50, 64]);
      const rows = g.input("rows", "int32", [700]);
      const updates = g.input("updates", "float32", [700, 64]);
      return {
        inputs: [table, rows, updates],
        output: o.scatterAdd(g, table, rows, updates),
        over: 0,
      };
    }, indices);
  });

  it("add to a column of each row", async () => {
    const columns = Int32Array.from({ length: 300 }, (_, row) => (row * 7) % 90);
    await assertInPlace((g) => {
      const x = g.input("x", "float32", [300, 90]);
      const place = g.input("place", "int32", [300, 1]);
      const updates = g.input("updates", "float32", [300, 1]);
      return {
        inputs: [x, place, updates],
        output: c.addColumn(g, x, place, updates),
        over: 0,
      };
    }, columns);
  });

  it("step an optimizer's weight and moments, each over itself", async () => {
    const shape = [300, 70];
    const g = newGraph();
    const [w, m, v, dw] = ["w", "m", "v", "dw"].map((name) => g.input(name, "float32", shape));
    assert.ok(w && m && v && dw);
    const nextM = o.add(g, o.scale(g, m, 0.9), o.scale(g, dw, 0.1));
    const nextV = o.add(g, o.scale(g, v, 0.99), o.scale(g, o.mul(g, dw, dw), 0.01));
    const step = o.div(g, nextM, o.add(g, o.sqrt(g, o.abs(g, nextV)), o.scalar(g, 1e-8)));
    g.output("next.w", o.sub(g, w, o.scale(g, step, 0.01)));
    g.output("next.m", nextM);
    g.output("next.v", nextV);
    const program = await backend.compile(g);
    const feed = (): Map<string, ReturnType<typeof backend.upload>> =>
      new Map(
        ["w", "m", "v", "dw"].map((name, seed) => [
          name,
          backend.upload("float32", shape, random(shape, seed)),
        ]),
      );
    const fresh = await program.run(feed());
    const feeds = feed();
    const targets = new Map<string, ReturnType<typeof backend.upload>>();
    for (const name of ["w", "m", "v"]) {
      const target = feeds.get(name);
      if (target) targets.set(`next.${name}`, target);
    }
    const inPlace = await program.run(feeds, targets);
    for (const [name, tensor] of fresh) {
      const other = inPlace.get(name);
      assert.ok(other);
      assert.deepEqual(await backend.download(other), await backend.download(tensor), name);
    }
  });

  it("are refused where the program still reads what they would overwrite", async () => {
    const g = newGraph();
    const x = g.input("x", "float32", [2, 2]);
    g.output("y", o.matmul(g, x, x));
    g.output("z", o.neg(g, x));
    const program = await backend.compile(g);
    const memory = new Float32Array(8);
    const part = (start: number): ReturnType<typeof backend.upload> =>
      backend.upload("float32", [2, 2], memory.subarray(start, start + 4));
    const run = (y: number, z: number): Promise<unknown> =>
      program.run(
        new Map([["x", part(0)]]),
        new Map([
          ["y", part(y)],
          ["z", part(z)],
        ]),
      );
    await assert.rejects(run(0, 4), /y would overwrite input x/u);
    await assert.rejects(run(2, 4), /y would overwrite input x/u);
    await assert.rejects(run(4, 4), /outputs y and z would share/u);
    const separate = backend.upload("float32", [2, 2], new Float32Array(4));
    await program.run(
      new Map([["x", part(0)]]),
      new Map([
        ["y", part(4)],
        ["z", separate],
      ]),
    );
  });
});
