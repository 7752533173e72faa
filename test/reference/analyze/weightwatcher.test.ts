/** @file Power-law exponent, stable rank and entropy against WeightWatcher; `make.py` writes the fixtures. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createLinalg } from "../../../kernels/linalg/index.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { spectrumRecord } from "../../../src/engine/analyze/ranks.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { isRecord } from "../../../src/shared/wire.ts";

const shapes = { wide: [90, 120], tall: [200, 120], square: [128, 128] } as const;

function entry(i: number, j: number): number {
  const state = (i * 7919 + j * 104729 + i * j * 31) % 65521;
  return ((((state * state) % 65521) % 1025) - 512) / 512 / (1 + i / 8);
}

describe("figures of a spectrum against WeightWatcher", () => {
  const file = join(import.meta.dirname, "fixtures/weightwatcher.json");
  const fixtures: unknown = JSON.parse(readFileSync(file, "utf8"));
  for (const [name, [rows, columns]] of Object.entries(shapes))
    it(name, async () => {
      await buildKernels();
      const data = Float32Array.from({ length: rows * columns }, (_, at) =>
        entry(Math.floor(at / columns), at % columns),
      );
      const linalg = createLinalg(kernelBytes("linalg"));
      const sigma = await linalg.singularValues({ rows, columns, data: Float64Array.from(data) });
      const record = spectrumRecord(Array.from(sigma), {
        out: rows,
        in: columns,
        dtype: "float32",
      });
      assert.ok("alpha" in record.powerLaw);
      assert.ok(isRecord(fixtures) && isRecord(fixtures["cases"]));
      const expected = fixtures["cases"][name];
      assert.ok(isRecord(expected));
      const { stableRank, matrixEntropy } = record;
      for (const [key, value] of Object.entries({
        ...record.powerLaw,
        stableRank,
        matrixEntropy,
      })) {
        const theirs: unknown = expected[key];
        if (typeof theirs === "string") assert.equal(value, theirs, key);
        if (typeof theirs !== "number") continue;
        assert.ok(
          Math.abs(Number(value) - theirs) <= 1e-5 * Math.abs(theirs),
          `${key}: ${String(value)}, WeightWatcher ${theirs}`,
        );
      }
    });
});
