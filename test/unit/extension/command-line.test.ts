/** @file What the extension takes from the command line's output: two texts as they come, and why something failed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { splitSides } from "../../../src/extension/panels/split-sides.ts";
import { reasonOf } from "../../../src/extension/reason.ts";

const output = "── without the adapter ──\nIt was ─ Tom.\n── with the adapter ──\nIt was Ada.\n";

function split(pieces: readonly string[], compare = true): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  const take = splitSides(compare, (side, text) => {
    texts[side] = (texts[side] ?? "") + text;
  });
  for (const piece of pieces) take(piece);
  return texts;
}

describe("two generated texts", () => {
  const wanted = { base: "It was ─ Tom.\n", tuned: "It was Ada.\n" };

  it("are told apart wherever the output is cut", () => {
    for (let cut = 0; cut <= output.length; cut += 1)
      assert.deepEqual(split([output.slice(0, cut), output.slice(cut)]), wanted, `cut at ${cut}`);
    assert.deepEqual(split(Array.from(output)), wanted);
  });

  it("may hold lines that are no headings", () => {
    const drawn = output.replace("It was ─ Tom.", "──── a ── box ──");
    assert.equal(split(Array.from(drawn))["base"], "──── a ── box ──\n");
  });

  it("are one where nothing is compared", () => {
    assert.deepEqual(split(["── a", " ──\n"], false), { tuned: "── a ──\n" });
  });
});

describe("a reason", () => {
  it("is the error with its remedy, without progress and warnings", () => {
    const errors = [
      "warning: few steps [few-steps]",
      "loading 3/10\rloading 10/10\ra.yaml:3:1: error: No such model. [model-not-found]",
      "  Give a folder.",
      "",
    ].join("\n");
    assert.equal(
      reasonOf(errors),
      "a.yaml:3:1: error: No such model. [model-not-found] Give a folder.",
    );
  });

  it("is the end of what was said where no line is an error", () => {
    assert.equal(reasonOf("one\ntwo\n\nthree\nfour\n"), "two three four");
  });
});
