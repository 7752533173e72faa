/** @file Float64 products by a backend: of many sizes, written where they should, the same as by hand. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import { createReferenceBackend } from "../../../../src/engine/runtime/reference.ts";
import { backendGemm } from "../../../../src/engine/runtime/gemm.ts";
import { createOrtBackend } from "../../../../src/engine/runtime/ort.ts";
import { random } from "../../kernels/linalg/matrices.ts";
import { times } from "../analyze/families.ts";

const sizes = [
  [3, 4, 5],
  [1, 7, 1],
  [5, 4, 3],
  [64, 33, 70],
] as const;

function assertNear(found: Matrix, expected: Matrix): void {
  assert.deepEqual([found.rows, found.columns], [expected.rows, expected.columns]);
  for (const [i, value] of expected.data.entries())
    assert.ok(Math.abs(value - (found.data[i] ?? NaN)) < 1e-13, `element ${i}`);
}

const ort = await createOrtBackend({ device: "cpu", threads: 2 });

describe("products by a backend", () => {
  for (const [name, backend] of [
    ["ONNX Runtime", ort],
    ["the oracle", createReferenceBackend()],
  ] as const)
    it(`are those by hand for one size after the other: ${name}`, async () => {
      const products = backendGemm(backend);
      const { gemm, timesTransposed } = products;
      for (const [rows, inner, columns] of sizes) {
        const a = random(rows, inner, 1);
        const b = random(inner, columns, 2);
        assertNear(await gemm(a, b), times(a, b));
        const into = new Float64Array(rows * columns).fill(7);
        const placed = await gemm(a, b, into);
        assertNear(placed, times(a, b));
        const turned = await timesTransposed(a, transposedCopy(b), into.fill(7));
        assertNear(turned, times(a, b));
        if (!backend.preallocates || !backend.sharesMemory) continue;
        assert.equal(placed.data, into);
        assert.equal(turned.data, into);
      }
      await products.dispose();
    });

  it("begin with the caller's word", async () => {
    const backend = await createOrtBackend({
      device: "cpu",
      beforeRun: () => {
        throw new Error("stopped");
      },
    });
    const { gemm } = backendGemm(backend);
    await assert.rejects(gemm(random(2, 2, 1), random(2, 2, 2)), /stopped/);
  });
});
