/** @file Quantized folders hold what transformers with bitsandbytes, and GPTQ's formulas, read in them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isRecord } from "../../../src/shared/wire.ts";
import { openWeights } from "../../../src/engine/weights/weight-source.ts";
import { spectune } from "../../support/command-line.ts";
import { scratch } from "../../support/../unit/engine/runs/scratch.ts";

const recorded: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/folders.json"), "utf8"),
);
const base = join(import.meta.dirname, "../../../media/sample/base");

assert.ok(isRecord(recorded));
describe("a folder by", () => {
  for (const [name, of] of Object.entries(recorded)) {
    if (!isRecord(of) || !Array.isArray(of["options"]) || !isRecord(of["matrices"])) continue;
    const options = of["options"].map(String);
    const matrices = of["matrices"];
    it(`${name} expands to the same bits`, async (t) => {
      const folder = scratch(t);
      const made = await spectune(folder, "quantize", base, "--out", "q", ...options);
      assert.equal(made.code, 0, made.err);
      const source = await openWeights(join(folder, "q"));
      t.after(source.close);
      const found: Record<string, string> = {};
      for (const { name: tensor, packed } of source.tensors.values())
        if (packed && tensor.slice(0, -".weight".length) in matrices)
          found[tensor.slice(0, -".weight".length)] = createHash("sha256")
            .update(await source.read(tensor))
            .digest("hex");
      assert.deepEqual(found, matrices);
    });
  }
});
