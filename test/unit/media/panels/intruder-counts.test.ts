/** @file Counts of intruders from bounds: they never fall as a threshold rises, and what is open is said. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layoutOf } from "../../../../media/analysis/documents.ts";
import { countOf, energyOf, matrixOf, sumOf } from "../../../../media/panels/intruders/counts.ts";

const matrix = matrixOf({
  name: "w",
  noiseFloor: 0.2,
  vectors: [
    { index: 0, sigma: 3, lower: 0.9, upper: 0.9 },
    { index: 1, sigma: 2, lower: 0.1, upper: 0.3 },
    { index: 2, sigma: 1, lower: 0.4, upper: 0.6 },
  ],
});

describe("counts of intruders", () => {
  it("tell what is certain from what is open", () => {
    assert.deepEqual(countOf(matrix, 0.5, 10), { certain: 1, open: 1 });
    assert.deepEqual(countOf(matrix, 0.5, 2), { certain: 1, open: 0 });
    assert.deepEqual(countOf(matrix, 0.2, 10), { certain: 0, open: 1 });
  });

  it("do not fall as the threshold rises", () => {
    const counts = [0.1, 0.2, 0.35, 0.5, 0.7, 0.95].map(
      (epsilon) => sumOf([matrix], epsilon, 10).certain,
    );
    assert.deepEqual(
      counts,
      counts.toSorted((a, b) => a - b),
    );
    assert.equal(counts.at(-1), 3);
  });

  it("share the energy of the vectors that were looked at", () => {
    assert.equal(energyOf([matrix], 0.5, 3), 4 / 14);
    assert.ok(Number.isNaN(energyOf([], 0.5, 3)));
  });

  it("know exact cosines from bounds", () => {
    assert.equal(matrix.isExact, false);
    assert.equal(
      matrixOf({
        name: "w",
        noiseFloor: 0.2,
        vectors: [{ index: 0, sigma: 1, lower: 0.3, upper: 0.3 }],
      }).isExact,
      true,
    );
  });
});

describe("the layout of matrices", () => {
  it("puts modules into rows and layers into columns, by number", () => {
    const names = [
      "m.layers.10.q.weight",
      "m.layers.2.q.weight",
      "m.layers.2.k.weight",
      "lm_head.weight",
    ];
    assert.deepEqual(layoutOf(names), {
      rows: ["q", "k", "lm_head"],
      columns: ["–", "2", "10"],
      places: [-1, 1, 0, -1, 2, -1, 3, -1, -1],
    });
  });
});
