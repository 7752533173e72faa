/** @file What the command intruders prints as JSON and as a table. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { intrudersTable } from "../../../../src/cli/intruders-text.ts";
import { intrudersJson } from "../../../../src/engine/lab/look-intruders.ts";
import type { MatrixIntrudersRecord } from "../../../../src/shared/intruder-records.ts";

const vector = {
  index: 0,
  sigma: 2,
  lower: 0.2,
  upper: 0.3,
  by: "intruder",
  intruder: true,
  official: undefined,
  vectorError: 0,
  residual: 0,
  gap: 1,
  gapFrom: "values",
  proof: { kind: "none" },
} as const;
const record: MatrixIntrudersRecord = {
  name: "q",
  module: "q_proj",
  layer: 0,
  out: 4,
  in: 4,
  baseHash: "b",
  tunedHash: "t",
  baseDtype: "float32",
  reference: "base",
  epsilon: 0.5,
  k: 2,
  stage: "verdicts",
  count: 1,
  undecided: 1,
  basisDependent: 0,
  energy: 0.8,
  vectors: [
    vector,
    { ...vector, index: 1, sigma: 1, lower: 0.4, upper: 0.9, by: "svd", intruder: undefined },
  ],
  leftOut: 0,
  noiseFloor: 0.9,
  seconds: 0,
};

it("prints the contract of --json, undecided as null", () => {
  assert.deepEqual(intrudersJson([record]), {
    total: 1,
    matrices: [
      {
        name: "q",
        count: 1,
        vectors: [
          { index: 0, sigma: 2, lower: 0.2, upper: 0.3, intruder: true, by: "intruder" },
          { index: 1, sigma: 1, lower: 0.4, upper: 0.9, intruder: null, by: "svd" },
        ],
      },
    ],
  });
});

it("tells counts over ε as ranges where intervals leave them open", () => {
  const text = intrudersTable([record]);
  assert.match(text, /1 intruder dimension in 1 matrices \(ε 0.5, k 2, reference base, n = 1\)/);
  assert.match(text, /ε 0.5: 1 to 2/);
  assert.match(text, /0.20–0.30/);
});
