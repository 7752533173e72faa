/** @file An editor and a run refuse the same choices, for the same reason: every pair of two. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { excludedCodes } from "../../../src/engine/catalog-pairs.ts";
import { drawnFiles, refusalOf } from "./refusal-case.ts";

describe("editor and run agree on", () => {
  const ends = new Set<string | undefined>();
  for (const drawn of drawnFiles(2))
    it(drawn.title, async (t) => {
      ends.add(await refusalOf(t, drawn));
    });

  it("what trains, and most of what the one table refuses", (t) => {
    t.diagnostic([...ends].join());
    assert(ends.has(undefined));
    assert(excludedCodes.filter(({ code }) => ends.has(code)).length > excludedCodes.length / 2);
  });
});
