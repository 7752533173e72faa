/** @file The long search for a false certificate: 10⁵ small adversarial matrices, at every number of steps. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pseudoRandom } from "../../kernels/pseudo-random.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { emptyTally, tryMatrix } from "./adversarial.ts";

/** Each part has a seed of its own, so that `--test-name-pattern "part 7 "` runs it alone. */
const parts = 20;
const each = 5000;

describe("certificates, searched", () => {
  for (let part = 1; part <= parts; part++)
    it(`hold on ${each} small adversarial matrices, part ${part} of ${parts}`, async (t) => {
      const linalg = await makeLinalg();
      const random = pseudoRandom(part);
      const tally = emptyTally();
      while (tally.matrices < each) await tryMatrix(linalg, random, tally);
      t.diagnostic(JSON.stringify(tally));
      assert.ok(tally.certificates > each, JSON.stringify(tally));
    });
});
