/** @file The committed adapters are whole, and the list of peft's fields covers what they use. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { adapterNames, loadAdapterFixture, loadLoraConfigFields } from "./fixture.ts";

test("each adapter holds factors for each module that peft scales", () => {
  const names = adapterNames();
  assert(names.length >= 40);
  for (const name of names) {
    const { tensors, scaling } = loadAdapterFixture(name);
    const factors = tensors.filter((tensor) =>
      /\.lora_(embedding_)?A(\.weight)?$/.test(tensor.name),
    );
    assert.equal(factors.length, Object.keys(scaling).length, name);
  }
});

test("the fields of the saved configurations are those of LoraConfig", () => {
  const { fields, saved } = loadLoraConfigFields();
  const known = new Set(fields.map((field) => field.name));
  assert.deepEqual(
    saved.filter((name) => !known.has(name)),
    [],
  );
  for (const name of adapterNames()) {
    const { config, beyond } = loadAdapterFixture(name);
    assert.deepEqual(Object.keys(config).toSorted(), saved.toSorted(), name);
    for (const field of beyond) assert(known.has(field), `${name}: ${field}`);
  }
});
