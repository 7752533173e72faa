/** @file The long search for a count of singular values that is too small. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pseudoRandom } from "../../kernels/pseudo-random.ts";
import type { Tools } from "../../../../src/engine/analyze/products.ts";
import { backendGemm } from "../../../../src/engine/runtime/gemm.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { makeLinalg } from "../../kernels/linalg/matrices.ts";
import { nothingProved, tryCounts } from "./counting.ts";

const parts = 5;
const each = 4000;

describe("counts of singular values, searched", () => {
  for (let part = 1; part <= parts; part++)
    it(`are never too small on ${each} small adversarial matrices, part ${part} of ${parts}`, async (t) => {
      const linalg = await makeLinalg();
      const random = pseudoRandom(100 + part);
      const proved = nothingProved();
      for (let i = 0; i < each; i++) await tryCounts({ linalg }, random, proved);
      t.diagnostic(JSON.stringify(proved));
      assert.ok(proved.shifted.proved > 0.3 * proved.shifted.asked);
    });

  it("are never too small on 60 larger ones, with ONNX Runtime's products", async (t) => {
    const { gemm, timesTransposed } = backendGemm(await createOrtBackend({ device: "cpu" }));
    const tools: Tools = { linalg: await makeLinalg({ gemm }), gemm, timesTransposed };
    const random = pseudoRandom(200);
    const proved = nothingProved();
    for (let i = 0; i < 60; i++) await tryCounts(tools, random, proved, [90, 260]);
    t.diagnostic(JSON.stringify(proved));
    assert.ok(proved.complement.proved > 0.1 * proved.complement.asked);
  });
});
