/** @file Certificates on small adversarial matrices: no bound below a cosine, at any number of steps. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pseudoRandom } from "../../kernels/pseudo-random.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { emptyTally, tryMatrix } from "./adversarial.ts";

describe("certificates", () => {
  it("hold on 100 small adversarial matrices at every number of steps", async () => {
    const linalg = await makeLinalg();
    const random = pseudoRandom(11);
    const tally = emptyTally();
    for (let i = 0; i < 100; i++) await tryMatrix(linalg, random, tally);
    assert.ok(tally.matrices > 60 && tally.certificates > 100, JSON.stringify(tally));
  });
});
