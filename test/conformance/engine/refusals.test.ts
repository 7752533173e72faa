/** @file An editor and a run refuse the same choices, for the same reason: a few draws; `refusals.deep.ts` takes them all. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { drawnFiles, refusalOf } from "./refusal-case.ts";

const all = drawnFiles(2);
/** Far apart in the list, which goes through the axes in turn. */
const sample = all.filter((_, index) => index % Math.floor(all.length / 40) === 0);

describe("editor and run agree on", () => {
  const ends = new Set<string | undefined>();
  for (const drawn of sample)
    it(drawn.title, async (t) => {
      ends.add(await refusalOf(t, drawn));
    });

  it("what trains and what does not, for several reasons", () => {
    assert(ends.has(undefined));
    assert(ends.size > 4, [...ends].join());
  });
});
