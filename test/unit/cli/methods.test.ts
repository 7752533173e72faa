/** @file `spectune methods NAME`: each row of every kind is explained on a page. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { RowKind } from "../../../src/engine/catalog-list.ts";
import { listedRows } from "../../../src/engine/catalog-list.ts";
import { page } from "../../../src/cli/commands/methods.ts";

/** Kinds whose every row has tensors, or what it takes, to tell. */
const withTensors: readonly RowKind[] = ["initialiser", "sharing", "quantizer"];

for (const row of listedRows())
  it(`${row.kind} ${row.name} says its equation, when to use it, its tensors and its fields`, () => {
    const { name, kind, equation, use, doc, tensors, config, trains } = row;
    assert.match(equation, /[=≈←]/u);
    assert.match(use, /^Choose it .+\.$/u);
    assert.notEqual(use, doc);
    if (withTensors.includes(kind)) assert(tensors.length > 0);
    // Methods that train tensors of the model in place have none of their own.
    if (kind === "method" && /^\d/u.test(trains ?? ""))
      assert(tensors.length > 0 || name === "full" || name === "norms");
    const told = page(row);
    for (const part of [equation, use, doc, ...tensors, ...Object.values(config).map((f) => f.doc)])
      assert(told.includes(part), `the page lacks: ${part}`);
  });
