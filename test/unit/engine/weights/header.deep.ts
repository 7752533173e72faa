/** @file A long search for headers that crash, hang or fool the reader. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { parseSafetensorsHeader } from "../../../../src/engine/weights/safetensors.ts";
import { mutate, sampleFile } from "./mutations.ts";

it("reads or refuses 300,000 mutated headers", () => {
  const sample = sampleFile();
  for (let seed = 0; seed < 300_000; seed += 1) {
    // Every third one is a mutation of a mutation, further from anything sound.
    const once = mutate(sample, seed);
    const bytes = seed % 3 === 0 && once.length > 16 ? mutate(once, seed + 1) : once;
    const { value, findings } = parseSafetensorsHeader(bytes, bytes.length, "a");
    if (findings.some(({ severity }) => severity === "error")) continue;
    assert.ok(value, `seed ${seed}`);
    for (const { offset, bytes: size } of value.tensors.values())
      assert.ok(offset >= 8 && size >= 0 && offset + size <= bytes.length, `seed ${seed}`);
  }
});
