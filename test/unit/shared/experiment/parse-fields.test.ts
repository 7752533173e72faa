/** @file Values of declarations that come from code or JSON, and the words for declarations. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describe as describeFields } from "../../../../src/shared/experiment/describe.ts";
import { parseFields } from "../../../../src/shared/experiment/parse-fields.ts";
import {
  bool,
  duration,
  int,
  list,
  number,
  oneOf,
  share,
  text,
} from "../../../../src/shared/schema.ts";

const fields = {
  rank: int({ default: 8, min: 1, key: "r", doc: "Rank.", aliases: ["lora_r"] }),
  alpha: number({ default: 16, above: 0, doc: "Scale." }),
  betas: list(number({ doc: "A beta." }), { default: [0.9, 0.999], doc: "Betas." }),
  part: share({ default: null, doc: "A part." }),
  every: duration({ default: { unit: "end" }, doc: "When." }),
  mode: oneOf(["min", "max"], { default: "min", doc: "Which." }),
  fast: bool({ default: false, doc: "Fast." }),
};

describe("parseFields", () => {
  it("writes out defaults", () => {
    const { value, findings } = parseFields(fields, {});
    assert.deepEqual(findings, []);
    assert.deepEqual(value, {
      rank: 8,
      alpha: 16,
      betas: [0.9, 0.999],
      part: null,
      every: { unit: "end" },
      mode: "min",
      fast: false,
    });
  });

  it("reads names as in a file", () => {
    const { value } = parseFields(fields, { r: 4, alpha: "2r", part: "5%", every: "50 steps" });
    assert.equal(value?.rank, 4);
    assert.equal(value.alpha, 8);
    assert.equal(value.part, 0.05);
    assert.deepEqual(value.every, { count: 50, unit: "steps" });
  });

  it("reports wrong values and lets the defaults stand in", () => {
    const { value, findings } = parseFields(fields, { r: 0, alpha: "x y", mode: "mid", rank: 1 });
    assert.deepEqual(findings.map(({ code }) => code).toSorted(), [
      "not-one-of",
      "out-of-bounds",
      "unknown-field",
      "wrong-type",
    ]);
    assert.equal(value?.rank, 8);
  });

  it("holds values to their bounds, which belong to the range or do not", () => {
    const bounded = {
      closed: number({ default: 1, min: 0, max: 2, doc: "Closed." }),
      open: number({ default: 1, above: 0, below: 2, doc: "Open." }),
    };
    const codes = (closed: number, open: number) =>
      parseFields(bounded, { closed, open }).findings.map(({ code }) => code);
    assert.deepEqual(codes(0, 1e-9), []);
    assert.deepEqual(codes(2, 2 - 1e-9), []);
    assert.deepEqual(codes(2.1, 1), ["out-of-bounds"]);
    assert.deepEqual(codes(-0.1, 1), ["out-of-bounds"]);
    assert.deepEqual(codes(1, 0), ["out-of-bounds"]);
    assert.deepEqual(codes(1, 2), ["out-of-bounds"]);
    assert.deepEqual(codes(Infinity, NaN), ["out-of-bounds", "out-of-bounds"]);
  });

  it("takes powers of two alone where a field says so, and tells the nearest", () => {
    const blocks = int({ default: 64, min: 32, max: 4096, powerOfTwo: true, doc: "Blocks." });
    const said = (value: number) =>
      parseFields({ blocks }, { blocks: value }).findings.map(({ message }) => message);
    for (const size of [32, 64, 4096]) assert.deepEqual(said(size), []);
    assert.match(said(48).join(), /a power of two, and this is 48; the nearest are 32 and 64\./);
    assert.match(said(8192).join(), /at most 4096/);
    const [described] = describeFields({ blocks });
    assert.equal(described?.expects, "a power of two at least 32 and at most 4096");
  });

  it("has no value where a field without a default is missing", () => {
    const { value, findings } = parseFields({ name: text({ doc: "A name." }) }, {});
    assert.equal(value, undefined);
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["missing-field"],
    );
  });

  it("takes anything for a value", () => {
    for (const value of [undefined, null, 3, "x", [], () => 1, Symbol("s"), 10n, new Map()])
      assert.doesNotThrow(() => parseFields(fields, value));
    const loop: { self?: unknown } = {};
    loop.self = loop;
    assert.doesNotThrow(() => parseFields(fields, loop));
  });
});

describe("declarations in words", () => {
  it("tell type, bounds and default", () => {
    const [rank, , betas, part, every] = describeFields(fields);
    assert.deepEqual(rank, {
      key: "r",
      doc: "Rank.",
      expects: "a whole number at least 1",
      default: "8",
      aliases: ["lora_r"],
    });
    assert.equal(betas?.default, "[0.9, 0.999]");
    assert.equal(part?.default, "null");
    assert.equal(every?.default, "end");
  });
});
