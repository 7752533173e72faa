/** @file A few draws of choices together; `combinations.deep.ts` takes every pair of two. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { combinations, titleOf, tried } from "./combination-case.ts";

const all = combinations(1);
/** Far apart in the list, which goes through the axes in turn. */
const sample = all.filter((_, index) => index % Math.floor(all.length / 16) === 0);

describe("composes, or says in the one table why not:", () => {
  const ends = new Set<string>();
  for (const combination of sample)
    it(titleOf(combination), async (t) => {
      const end = await tried(t, combination);
      ends.add(typeof end === "string" ? end : "refused");
    });

  it("both of the two", () => {
    assert(ends.has("trained") && ends.has("refused"));
  });
});
