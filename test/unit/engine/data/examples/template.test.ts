/** @file Templates name columns by their own names or those that the experiment gives them. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { readTemplate } from "../../../../../src/engine/data/examples/template.ts";

it("takes a name for a column whatever it is", () => {
  const place = { file: "x.peft.yaml" };
  const row = { index: 0, place, values: { q: "why", constructor: "Ann" } };
  const template = readTemplate("{prompt} {constructor}", { prompt: "q", label: null }, place);
  assert.equal(template(row), "why Ann");
});
