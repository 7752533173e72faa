/** @file Mutations of a sound header that must not crash its reader. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseSafetensorsHeader } from "../../../../src/engine/weights/safetensors.ts";
import { mutate, sampleFile } from "./mutations.ts";

describe("mutated headers", () => {
  it("are parsed or refused, never a crash, and what is parsed lies inside the file", () => {
    const sample = sampleFile();
    let refused = 0;
    for (let seed = 0; seed < 4000; seed += 1) {
      const bytes = mutate(sample, seed);
      const { value, findings } = parseSafetensorsHeader(bytes, bytes.length, "a.safetensors");
      const errors = findings.filter(({ severity }) => severity === "error");
      assert.ok(findings.length <= 40);
      if (errors.length > 0) {
        refused += 1;
        continue;
      }
      assert.ok(value, `seed ${seed}`);
      let filled = [...value.tensors.values()][0]?.offset ?? bytes.length;
      for (const { offset, bytes: size } of value.tensors.values()) {
        assert.equal(offset, filled, `seed ${seed}`);
        filled += size;
      }
      assert.equal(filled, bytes.length, `seed ${seed}`);
    }
    assert.ok(refused > 2000 && refused < 4000, `${refused} refused`);
  });
});
