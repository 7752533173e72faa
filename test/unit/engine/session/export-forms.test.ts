/** @file Which methods an adapter of peft can hold together. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { plainChoice } from "../../../../src/engine/adapters/placing.ts";
import { methods, rowNamed } from "../../../../src/engine/catalog.ts";
import { defaultsOf } from "../../../../src/engine/config.ts";
import { hasAdapter } from "../../../../src/engine/session/export-run.ts";

it("magnitudes are at all modules of an adapter or at none", () => {
  const holds = (...types: readonly string[]): boolean =>
    hasAdapter(types.map((type) => plainChoice(type, defaultsOf(rowNamed(methods, type)))));
  for (const types of [["dora"], ["lora"], ["dora", "dora"], ["lora", "lora"]])
    assert.equal(holds(...types), true, types.join());
  assert.equal(holds("dora", "lora"), false);
  assert.equal(holds("lora", "dora"), false);
});
