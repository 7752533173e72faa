/** @file NF4 and FP4 as quantizers store them: the codes and scales of the plain definition, whatever the matrix looks like. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { fp4CodeBook, nf4CodeBook, nestScales } from "../../../../kernels/nf4/index.ts";
import { dequantizeReference, quantizeReference } from "../../../../kernels/nf4/reference.ts";
import { unnestScales } from "../../../../kernels/nf4/nested-scales.ts";
import { buildKernels } from "../../../../src/build/kernels.ts";
import type { SiteMatrix } from "../../../../src/engine/quantizers/context.ts";
import { bnbScales } from "../../../../src/engine/quantizers/formats/bnb.ts";
import { fp4 } from "../../../../src/engine/quantizers/fp4.ts";
import { nf4 } from "../../../../src/engine/quantizers/nf4.ts";
import { bytesOf } from "../../../../src/engine/quantizers/packed.ts";
import { packedBy, valuesOf, weights } from "../../../conformance/engine/quantizer-case.ts";

const kinds = [
  { quantizer: nf4, book: nf4CodeBook },
  { quantizer: fp4, book: fp4CodeBook },
] as const;

/** Rows of zeros and of one number, weights far beyond the others, ends within a block and within a byte. */
const matrices: Readonly<Record<string, SiteMatrix>> = {
  "one weight": weights({ rows: 1, columns: 1 }),
  "odd shapes": weights({ rows: 7, columns: 33 }),
  "more than is staged at a time": weights({ rows: 257, columns: 259 }),
  constants: changed(weights({ rows: 5, columns: 64 }), (w, row) => (row < 2 ? row * -0.3 : w)),
  outliers: changed(weights({ rows: 9, columns: 71 }), (w, row) => (row % 4 === 0 ? w * 1e6 : w)),
};

function changed(matrix: SiteMatrix, to: (value: number, row: number) => number): SiteMatrix {
  return {
    ...matrix,
    data: matrix.data.map((value, i) => to(value, Math.floor(i / matrix.columns))),
  };
}

/** By the first element that differs: a whole difference of thousands takes minutes to tell. */
function assertSame(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  assert.equal(actual.length, expected.length);
  const differs = Array.from(actual).findIndex((value, i) => value !== expected[i]);
  assert.equal(differs, -1, `element ${differs}`);
}

before(async () => {
  await buildKernels();
});

for (const { quantizer, book } of kinds)
  describe(quantizer.name, () => {
    for (const [name, matrix] of Object.entries(matrices))
      for (const block_size of [32, 64, 4096])
        it(`stores the plain definition's codes and scales of ${name}, by ${block_size}`, async () => {
          const made = quantizeReference(matrix.data, book, block_size);
          assert.ok(made.kind === "quantized");
          const flat = await packedBy(quantizer, matrix, { block_size, double_quant: false });
          assertSame(bytesOf(flat, "codes"), made.codes);
          assert.deepEqual(bnbScales(flat), made.absmax);
          const { length } = matrix.data;
          const values = dequantizeReference(made, book, block_size, 0, length);
          assertSame(valuesOf(quantizer, flat), values);
          const nested = await packedBy(quantizer, matrix, { block_size, double_quant: true });
          assertSame(bytesOf(nested, "codes"), made.codes);
          assert.deepEqual(bnbScales(nested), nestScales(made.absmax));
          const absmax = unnestScales(nestScales(made.absmax));
          assertSame(
            valuesOf(quantizer, nested),
            dequantizeReference({ ...made, absmax }, book, block_size, 0, length),
          );
        });
    it("names a weight that is no number", async () => {
      const bad = changed(weights({ rows: 3, columns: 50 }), (w, row) => (row === 2 ? NaN : w));
      await assert.rejects(packedBy(quantizer, bad), /Weight 100 is NaN/);
    });
  });
