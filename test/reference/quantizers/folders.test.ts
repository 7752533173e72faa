/** @file Quantized folders hold what transformers with bitsandbytes and GPTQModel, and the layouts' formulas, read in them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { at } from "../../../src/shared/errors.ts";
import { isRecord } from "../../../src/shared/wire.ts";
import { logitsOf } from "../../../src/engine/network/inference.ts";
import { openForInference } from "../../../src/engine/session/open-for-inference.ts";
import { openWeights } from "../../../src/engine/weights/weight-source.ts";
import { spectune } from "../../support/command-line.ts";
import { scratch } from "../../unit/engine/runs/scratch.ts";

const recorded: unknown = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/folders.json"), "utf8"),
);
const base = join(import.meta.dirname, "../../../media/sample/base");

assert.ok(isRecord(recorded) && Array.isArray(recorded["tokens"]));
const tokens = recorded["tokens"].map(Number);

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

    const { logits, products } = of;
    if (!Array.isArray(logits)) continue;
    it(`${name} gives the logits that transformers gives with it`, async (t) => {
      const folder = scratch(t);
      const made = await spectune(folder, "quantize", base, "--out", "q", ...options);
      assert.equal(made.code, 0, made.err);
      const own = await lastLogits(join(folder, "q"));
      near(own, logits, 2e-5);
      // On a CPU bitsandbytes multiplies in fewer digits, and GPTQModel adds in another order.
      if (Array.isArray(products)) near(own, products, 3e-3);
    });
  }
});

function near(own: Float32Array, recorded: readonly unknown[], tolerance: number): void {
  for (const [i, logit] of recorded.map(Number).entries()) {
    const off = Math.abs(at(own, i) - logit);
    assert.ok(off < tolerance * (1 + Math.abs(logit)), `${at(own, i)}, recorded ${logit}`);
  }
}

/** Of the last of the recorded tokens. */
async function lastLogits(folder: string): Promise<Float32Array> {
  const open = await openForInference(
    {
      reference: { id: folder },
      task: "causal-lm",
      device: { device: "cpu", threads: 1 },
      trained: { kind: "none" },
      quantization: null,
    },
    { base: folder, env: {}, home: folder },
    () => undefined,
  );
  try {
    const ids = Int32Array.from(tokens);
    return await logitsOf(open.context, {
      batch: 1,
      length: ids.length,
      ids,
      positions: ids.map((_, place) => place),
      types: new Int32Array(ids.length),
      ownPositions: false,
      rows: Int32Array.of(ids.length - 1),
      targets: { kind: "classes", labels: new Int32Array(0) },
    });
  } finally {
    await open.close();
  }
}
