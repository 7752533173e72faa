/** @file 4-bit block quantization against golden vectors made by bitsandbytes (`make.py` beside this file). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { createNf4, fp4CodeBook, nf4CodeBook, nestScales } from "../../../kernels/nf4/index.ts";
import type { Nf4 } from "../../../kernels/nf4/index.ts";
import { dynamicMap, unnestScales } from "../../../kernels/nf4/nested-scales.ts";
import { dequantizeReference, quantizeReference } from "../../../kernels/nf4/reference.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { fp4 } from "../../../src/engine/quantizers/fp4.ts";
import { bnbScales } from "../../../src/engine/quantizers/formats/bnb.ts";
import { nf4 } from "../../../src/engine/quantizers/nf4.ts";
import { bytesOf } from "../../../src/engine/quantizers/packed.ts";
import { packedBy, weights } from "../../conformance/engine/quantizer-case.ts";
import { golden, hexOf, type Golden, type GoldenScales } from "./golden.ts";

const vectors: Golden = golden(
  readFileSync(join(import.meta.dirname, "fixtures/golden.json"), "utf8"),
);
const books = { nf4: nf4CodeBook, fp4: fp4CodeBook };

/** What the hand computation of the format's description gave, before any package was asked. */
const handMade = {
  "a fixed permutation of a ramp":
    "091c3e60a2d4f81b2e5f91c3e60a1d4f71b2e5f81c3e60a1d4e70b2d4f81c2e5",
  "a fixed permutation of a ramp, FP4":
    "b6a5c29b7a2f31a4d2e36a5c29b7a5c31b4d2e36a5d2eb6a5c39b4d2f31a4d2e",
};

describe("4-bit code books", () => {
  it("are the package's, bit for bit", () => {
    assert.equal(hexOf(Float32Array.from(nf4CodeBook)), vectors.nf4);
    assert.equal(hexOf(dynamicMap), vectors.dynamicMap);
  });
  it("FP4 has the package's values; its second zero has no sign that matters", () => {
    const ours = Float32Array.from(fp4CodeBook, (x) => x + 0);
    assert.deepEqual(
      ours,
      vectors.floats(vectors.fp4).map((x) => x + 0),
    );
  });
  it("the package confirms the hand-made fixture", () => {
    for (const [name, codes] of Object.entries(handMade))
      assert.equal(vectors.cases.find((c) => c.name === name)?.codes, codes);
  });
});

describe("quantizing as bitsandbytes does", () => {
  let kernels: Readonly<Record<"nf4" | "fp4", Nf4>>;
  before(async () => {
    await buildKernels();
    const bytes = kernelBytes("nf4");
    const make = (name: "nf4" | "fp4") =>
      createNf4(bytes, { scratchElements: 4096, codeBook: books[name] });
    kernels = { nf4: make("nf4"), fp4: make("fp4") };
  });

  for (const vector of vectors.cases) {
    it(vector.name, () => {
      const values = vectors.floats(vector.values);
      const kernel = kernels[vector.codeBook];
      for (const made of [
        quantizeReference(values, books[vector.codeBook], 64),
        kernel.quantize(values),
      ]) {
        if (made.kind !== "quantized") assert.fail("finite values were refused");
        assertSameHex(made.codes, vector.codes, "codes");
        assertSameHex(made.absmax, vector.absmax, "absmax");
        const count = values.length;
        for (const decoded of [
          dequantizeReference(made, books[vector.codeBook], 64, 0, count),
          kernel.decode(made.codes, made.absmax, 0, count),
        ])
          assertSameValues(decoded, vectors.floats(vector.decoded));
      }
      checkNested(vector.nested);
    });
    it(`${vector.name}, as a quantizer stores it`, async () => {
      const data = vectors.floats(vector.values);
      const matrix = { ...weights({ rows: 1, columns: data.length }), data };
      const packed = await packedBy(vector.codeBook === "nf4" ? nf4 : fp4, matrix);
      assertSameHex(bytesOf(packed, "codes"), vector.codes, "codes");
      const scales = bnbScales(packed);
      assert.ok(!(scales instanceof Float32Array));
      assertSameHex(scales.codes, vector.nested.codes, "nested codes");
      assertSameHex(scales.absmax, vector.nested.nested, "nested absmax");
      assert.equal(scales.offset, vector.nested.offset);
    });
  }
  for (const scales of vectors.scales)
    it(`nested scales: ${scales.name}`, () => checkNested(scales));

  it("the mean of many scales is PyTorch's to the last bit", () => {
    for (const { count, mean } of vectors.means) {
      const scale = (i: number) =>
        Math.fround(((i * i * 40503) % 65521) / 65536) * Math.fround(0.1);
      const { offset } = nestScales(Float32Array.from({ length: count }, (_, i) => scale(i)));
      assert.equal(offset, mean, `${count} scales`);
    }
  });

  function checkNested(expected: GoldenScales): void {
    const absmax = vectors.floats(expected.absmax);
    const nested = nestScales(absmax);
    assert.ok(Math.abs(nested.offset - expected.offset) <= ulp(expected.offset), "offset to 1 ulp");
    // These tensors are small enough for PyTorch to sum on one thread: equal to the last bit.
    assert.equal(nested.offset, expected.offset);
    assertSameHex(nested.codes, expected.codes, "nested codes");
    assertSameHex(nested.absmax, expected.nested, "nested absmax");
    assertSameHex(unnestScales(nested), expected.scales, "scales");
    // Every code the one of 1: the kernel decodes to its scales.
    const blocks = Math.min(absmax.length, kernels.nf4.scratch.length / 64);
    const ones = new Uint8Array(blocks * 32).fill(0xff);
    const decoded = kernels.nf4.decode(ones, nested, 0, blocks * 64);
    const lasts = decoded.filter((_, i) => i % 64 === 63);
    assertSameHex(lasts, expected.scales.slice(0, 8 * blocks), "scales in the kernel");
  }
});

function assertSameHex(actual: ArrayBufferView, expected: string, what: string): void {
  const hex = hexOf(actual);
  // Compared here, so that a failure does not print thousands of digits.
  let same = 0;
  while (same < hex.length && hex[same] === expected[same]) same++;
  const lengths = `${hex.length} digits, expected ${expected.length}`;
  assert.ok(hex === expected, `${what}: ${lengths}, equal up to ${same}`);
}

/** Equal as numbers: the two zeros are one. */
function assertSameValues(actual: Float32Array, expected: Float32Array): void {
  assert.equal(actual.length, expected.length);
  assert.equal(
    actual.findIndex((x, i) => x !== expected[i]),
    -1,
    "the first element that differs",
  );
}

/** The distance from a float32 to the next one away from zero. */
function ulp(x: number): number {
  const bits = new Uint32Array(Float32Array.of(Math.abs(x)).buffer);
  const next = new Float32Array(Uint32Array.of((bits[0] ?? 0) + 1).buffer);
  return (next[0] ?? NaN) - Math.abs(x);
}
