/** @file Counts of singular values: never fewer than there are, whatever the vectors that were taken off. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pseudoRandom } from "../../kernels/pseudo-random.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { nothingProved, tryCounts } from "./counting.ts";

describe("counts of singular values above a number", () => {
  it("are never too small on 200 small adversarial matrices, and prove many", async (t) => {
    const linalg = await makeLinalg();
    const random = pseudoRandom(5);
    const proved = nothingProved();
    for (let i = 0; i < 200; i++) await tryCounts({ linalg }, random, proved);
    t.diagnostic(JSON.stringify(proved));
    assert.ok(proved.shifted.proved > 0.3 * proved.shifted.asked);
    assert.ok(proved.complement.proved > 0.05 * proved.complement.asked);
  });
});
