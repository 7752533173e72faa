/** @file What scaling intruders would do, against the decomposition of the scaled matrix; and controls beside counts. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { controlRows } from "../../../../media/panels/intruders/control-rows.ts";
import { matrixOf } from "../../../../media/panels/intruders/counts.ts";
import type { Scaling } from "../../../../media/panels/intruders/what-if.ts";
import { whatIf, whatIfTotal } from "../../../../media/panels/intruders/what-if.ts";
import type { MatrixIntrudersRecord } from "../../../../src/shared/intruder-records.ts";

/** Of σ = 5, 4, 3, 2, 1 the first and the third are intruders at ε = 0.5, the second may be one. */
const matrix = matrixOf({
  name: "w",
  noiseFloor: 0.1,
  vectors: [
    { index: 0, sigma: 5, lower: 0.1, upper: 0.2 },
    { index: 1, sigma: 4, lower: 0.4, upper: 0.6 },
    { index: 2, sigma: 3, lower: 0.1, upper: 0.1 },
    { index: 3, sigma: 2, lower: 0.9, upper: 0.9 },
    { index: 4, sigma: 1, lower: 0.9, upper: 0.9 },
  ],
});
const scaling = (changes: Partial<Scaling>): Scaling => ({
  ...{ keep: 0.5, which: "all", epsilon: 0.5, k: 3 },
  ...changes,
});

describe("scaling intruders", () => {
  it("leaves everything as it is at λ = 1", () => {
    const { change, certain, open, before, after } = whatIf(matrix, scaling({ keep: 1 }));
    assert.deepEqual({ change, certain, open }, { change: 0, certain: 2, open: 1 });
    assert.deepEqual(after, before);
  });

  it("sorts the values anew, and counts who is still among the first", () => {
    // 2.5, 4, 1.5, 2, 1: the first three are 4, 2.5, 2.
    const all = whatIf(matrix, scaling({}));
    assert.deepEqual(all.after, [4, 2.5, 2, 1.5, 1]);
    assert.deepEqual([all.scaled, all.certain, all.open], [2, 1, 1]);
    assert.ok(Math.abs(all.change - 0.5 * Math.hypot(5, 3)) < 1e-12);
    const top = whatIf(matrix, scaling({ which: "top" }));
    assert.deepEqual(top.after, [4, 3, 2.5, 2, 1]);
    assert.deepEqual([top.scaled, top.certain, top.open], [1, 2, 1]);
  });

  it("leaves open who takes the places of vectors that fall behind all that were looked at", () => {
    const { certain, open, after } = whatIf(matrix, scaling({ keep: 0, k: 5 }));
    assert.deepEqual(after, [4, 2, 1]);
    // Two places are free; the second vector is undecided itself.
    assert.deepEqual([certain, open], [0, 3]);
  });

  it("scales none but certain intruders among the first k", () => {
    assert.equal(whatIf(matrix, scaling({ k: 2 })).scaled, 1);
    assert.equal(whatIf(matrix, scaling({ epsilon: 0.05 })).scaled, 0);
  });

  it("adds up over matrices as squares", () => {
    const { change, scaled, matrices } = whatIfTotal([matrix, matrix], scaling({ which: "top" }));
    assert.deepEqual([scaled, matrices], [2, 2]);
    assert.ok(Math.abs(change - 2.5 * Math.SQRT2) < 1e-12);
  });
});

describe("controls", () => {
  it("stand beside what was trained, as means over draws, summed over matrices", () => {
    const record: MatrixIntrudersRecord = {
      name: "w",
      module: "w",
      layer: undefined,
      out: 2,
      in: 2,
      baseHash: "",
      tunedHash: "",
      baseDtype: "float32",
      reference: "base",
      epsilon: 0.5,
      k: 3,
      stage: "exact",
      count: 4,
      undecided: 1,
      basisDependent: 0,
      energy: 0.5,
      vectors: [],
      leftOut: 0,
      noiseFloor: 0.1,
      seconds: 0,
    };
    const draws = [
      { count: 1, undecided: 0 },
      { count: 2, undecided: 1 },
    ];
    const rows = controlRows({
      matrices: [
        { ...record, controls: [{ kind: "rotated", draws }] },
        { ...record, controls: [{ kind: "rotated", draws }] },
      ],
    });
    assert.deepEqual(rows, [
      { kind: "trained", count: 8, open: 2, draws: 1 },
      { kind: "rotated", count: 3, open: 1, draws: 2 },
    ]);
    assert.deepEqual(controlRows({ matrices: [record] }), []);
  });
});
