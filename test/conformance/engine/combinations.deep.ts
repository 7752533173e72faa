/** @file Every pair of choices on two axes of the catalog, the others drawn: each trains, or the one table says why not. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { excludedCodes } from "../../../src/engine/catalog-pairs.ts";
import { combinations, titleOf, tried } from "./combination-case.ts";

describe("composes, or says in the one table why not:", () => {
  const refused = new Set<string>();
  let trained = 0;
  for (const combination of combinations(1))
    it(titleOf(combination), async (t) => {
      const end = await tried(t, combination);
      if (end === "trained") trained++;
      else for (const code of end) refused.add(code);
    });

  it("most train, and most rows of the table are met", (t) => {
    t.diagnostic(`${trained} trained; refused by ${[...refused].join(", ")}`);
    assert(trained > 300);
    assert(refused.size >= excludedCodes.length / 2);
  });
});
