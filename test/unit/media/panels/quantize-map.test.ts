/** @file The quantize view's map: kinds of matrices by layers in their order, and the newest comparison of a known form. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { errorMap, newestComparison } from "../../../../media/panels/quantize/document.ts";

const matrix = (layer: number, kind: string, weight: number) => ({
  name: `layers.${layer}.${kind}`,
  layer,
  kind,
  errors: { nf4: { weight, bits: 4 } },
});

const json = {
  version: 1,
  kind: "quantize",
  versions: {},
  time: "2026-01-01T00:00:00Z",
  model: { kind: "model", path: "m" },
  options: {},
  rows: [],
  matrices: [matrix(10, "q_proj", 0.1), matrix(2, "q_proj", 0.2), matrix(2, "k_proj", 0.3)],
};

it("lays matrices out by kind and layer", () => {
  const comparison = newestComparison([
    { file: "a", modified: 1, json },
    { file: "b", modified: 2, json: { ...json, version: 99 } },
  ]);
  assert(comparison);
  const { rows, columns, values, places } = errorMap(comparison, "nf4", "weight");
  assert.deepEqual(
    [rows, columns],
    [
      ["q_proj", "k_proj"],
      ["2", "10"],
    ],
  );
  assert.deepEqual(values, [0.2, 0.1, 0.3, NaN]);
  assert.deepEqual(places, [1, 0, 2, -1]);
  assert.deepEqual(errorMap(comparison, "nf4", "output").values, [NaN, NaN, NaN, NaN]);
});
