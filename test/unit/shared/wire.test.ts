/** @file Decoders of lists and free values: what fits comes through unchanged, what does not is named. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { count, isProblem, json, listOf } from "../../../src/shared/wire.ts";

describe("listOf", () => {
  it("decodes every item and names the one that does not fit", () => {
    assert.deepEqual(listOf(count)([1, 2], "list"), [1, 2]);
    const problem = listOf(count)([1, -2], "list");
    assert.ok(isProblem(problem));
    assert.equal(problem.problem, "list.1 is not a whole number from 0 up");
    assert.ok(isProblem(listOf(count)({ 0: 1 }, "list")));
  });
});

describe("json", () => {
  it("takes what JSON can say", () => {
    const value = { a: [null, true, 1.5, "x", { b: [] }], ["__proto__"]: 1 };
    assert.deepEqual(json(JSON.parse(JSON.stringify(value)), ""), value);
    assert.ok(isProblem(json(undefined, "")));
  });

  it("refuses what is nested without end instead of recursing into it", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(50_000)}${"]".repeat(50_000)}`);
    assert.ok(isProblem(json(deep, "")));
  });
});
