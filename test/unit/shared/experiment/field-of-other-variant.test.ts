/** @file A field that another method has is told where it stands, not moved into another section that knows the name. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { catalogFields } from "../../../../src/engine/catalog.ts";
import { readExperiment } from "../../../../src/shared/experiment/normalise.ts";

const codesOf = (method: string): readonly string[] => {
  const text = `{ version: 1, model: ./m, data: { train: a.txt }, method: ${method} }`;
  return readExperiment({ file: "a.peft.yaml", text, catalog: catalogFields }).findings.map(
    ({ code, message }) => `${code}: ${message}`,
  );
};

it("alpha of VeRA is unknown there, and no quantizer's", () => {
  assert.deepEqual(codesOf("{ type: vera, r: 4, alpha: 8 }"), [
    "unknown-field: `vera` has no field `alpha`.",
  ]);
});

it("a name of another section is still moved there", () => {
  assert.match(
    codesOf("{ type: lora, max_length: 32 }").join(),
    /^foreign-name: .*data\.max_length/u,
  );
});
