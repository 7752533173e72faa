/** @file The long search for a count of singular values that is too small. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pseudoRandom } from "../../kernels/pseudo-random.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { nothingProved, tryCounts } from "./counting.ts";

const parts = 5;
const each = 4000;

describe("counts of singular values, searched", () => {
  for (let part = 1; part <= parts; part++)
    it(`are never too small on ${each} small adversarial matrices, part ${part} of ${parts}`, async (t) => {
      const linalg = await makeLinalg();
      const random = pseudoRandom(100 + part);
      const proved = nothingProved();
      for (let i = 0; i < each; i++) await tryCounts(linalg, random, proved);
      t.diagnostic(JSON.stringify(proved));
      assert.ok(proved.shifted.proved > 0.3 * proved.shifted.asked);
    });
});
