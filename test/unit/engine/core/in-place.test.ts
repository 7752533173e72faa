/** @file Which outputs may be written over an input. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Graph, Value } from "../../../../src/engine/core/graph.ts";
import { newGraph } from "../../../../src/engine/core/graph.ts";
import { mayOverwrite } from "../../../../src/engine/core/in-place.ts";
import * as o from "../../../../src/engine/core/ops.ts";

/** Whether the second of the values that `build` returns may overwrite the first. */
function allowed(build: (g: Graph, x: Value, other: Value) => Value): boolean {
  const g = newGraph();
  const x = g.input("x", "float32", [3, 3]);
  const y = build(g, x, g.input("other", "float32", [3, 3]));
  g.output("y", y);
  return mayOverwrite(g, x, y);
}

describe("writing over an input", () => {
  it("is safe for the operator that reads it element by element, or after all its readers", () => {
    assert.ok(allowed((g, x, other) => o.add(g, x, other)));
    assert.ok(allowed((g, x, other) => o.add(g, x, o.matmul(g, other, other))));
    assert.ok(allowed((g, x) => o.mul(g, x, x)));
    assert.ok(allowed((g, x, other) => o.add(g, o.scale(g, x, 0.9), o.scale(g, other, 0.1))));
    assert.ok(allowed((g, x) => o.matmul(g, o.transpose(g, x, [1, 0]), o.exp(g, x))));
    assert.ok(allowed((_g, x) => x));
  });

  it("is unsafe for a product, and where another node may read it later", () => {
    assert.equal(
      allowed((g, x, other) => o.matmul(g, x, other)),
      false,
    );
    assert.equal(
      allowed((g, x) => o.softmax(g, x)),
      false,
    );
    assert.equal(
      allowed((g, x, other) => o.add(g, x, o.matmul(g, other, x))),
      true,
    );
    const g = newGraph();
    const x = g.input("x", "float32", [2]);
    const y = o.neg(g, x);
    g.output("y", y);
    g.output("later", o.exp(g, x));
    assert.equal(mayOverwrite(g, x, y), false);
  });

  it("is unsafe under broadcasting, another shape or another type", () => {
    const g = newGraph();
    const row = g.input("row", "float32", [3]);
    const integers = g.input("integers", "int32", [3]);
    const wide = o.add(g, row, g.input("wide", "float32", [2, 3]));
    const narrow = o.cast(g, integers, "float32");
    g.output("wide", wide);
    g.output("narrow", narrow);
    assert.equal(mayOverwrite(g, row, wide), false);
    assert.equal(mayOverwrite(g, integers, narrow), false);
  });

  it("is safe for a table that takes sums, unless the sums are read from it", () => {
    const g = newGraph();
    const table = g.input("table", "float32", [4, 2]);
    const rows = g.input("rows", "int32", [4]);
    const summed = o.scatterAdd(g, table, rows, g.input("updates", "float32", [4, 2]));
    const doubled = o.scatterAdd(g, table, rows, table);
    g.output("summed", summed);
    assert.ok(mayOverwrite(g, table, summed));
    g.output("doubled", doubled);
    assert.equal(mayOverwrite(g, table, doubled), false);
  });
});
