/** @file The long search for a false certificate: 10⁵ small adversarial matrices, at every number of steps. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pseudoRandom } from "../../kernels/pseudo-random.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { tryMatrix, type Tally } from "./adversarial.ts";

describe("certificates, searched", () => {
  it("hold on 10⁵ small adversarial matrices", async () => {
    const linalg = await makeLinalg();
    const random = pseudoRandom(1);
    const tally: Tally = { matrices: 0, vectors: 0, views: 0, certificates: 0 };
    while (tally.matrices < 1e5) await tryMatrix(linalg, random, tally);
    assert.ok(tally.certificates > 1e5, JSON.stringify(tally));
  });
});
