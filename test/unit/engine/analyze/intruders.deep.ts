/** @file Verdicts against the official procedure on 200 matrices. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { intruderDefaults } from "../../../../src/engine/analyze/finding.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { compareFamily } from "./compare-family.ts";
import type { Family } from "./families.ts";

const families: readonly (readonly [Family, number])[] = [
  ["square", 20],
  ["tall", 60],
  ["wide", 60],
  ["rank-deficient", 20],
  ["clusters", 20],
  ["bfloat16", 20],
];

describe("verdicts on 200 matrices", () => {
  for (const [family, count] of families)
    it(`equal the official procedure: ${count} ${family}`, async (t) => {
      const linalg = await makeLinalg();
      const options = { ...intruderDefaults, k: 6, exactBelow: 0 };
      const seen = await compareFamily(linalg, family, count, options);
      t.diagnostic(JSON.stringify(seen));
      assert.ok(seen.vectors === 6 * count);
    });
});
