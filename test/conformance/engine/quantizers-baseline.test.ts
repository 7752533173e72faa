/** @file Every quantizer under the setting in which it does nothing of its own: what is stored is plain rounding, to the bit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nf4CodeBook, fp4CodeBook } from "../../../kernels/nf4/code-books.ts";
import { dequantizeReference, quantizeReference } from "../../../kernels/nf4/reference.ts";
import { quantizers } from "../../../src/engine/catalog.ts";
import { decodeBlocks, encodeBlocks } from "../../../src/engine/quantizers/blocks/book-blocks.ts";
import type { CodeBook } from "../../../src/engine/quantizers/blocks/code-books.ts";
import { e2m1, e3m2, nf3 } from "../../../src/engine/quantizers/blocks/code-books.ts";
import {
  decodeGrid,
  encodeGrid,
  fitGrid,
} from "../../../src/engine/quantizers/blocks/uniform-grid.ts";
import type { GridOptions } from "../../../src/engine/quantizers/blocks/uniform-grid.ts";
import type { SiteMatrix } from "../../../src/engine/quantizers/context.ts";
import { halfScale } from "../../../src/engine/quantizers/half.ts";
import { packedBy, valuesOf, weights } from "./quantizer-case.ts";

interface Nothing {
  readonly fields: Readonly<Record<string, unknown>>;
  /** Whether inputs are unrelated and of one size: then no column can make up for another. */
  readonly unrelated?: true;
  readonly baseline: (matrix: SiteMatrix) => Float32Array;
}

/** By name; why there is no such setting, where there is none. */
const nothings: Readonly<Record<string, Nothing | string>> = {
  rtn: { fields: { group: 16 }, baseline: grid({}) },
  nf4: { fields: { double_quant: false }, baseline: blocks(nf4CodeBook) },
  fp4: { fields: { double_quant: false }, baseline: blocks(fp4CodeBook) },
  gptq: { fields: { group: 16 }, unrelated: true, baseline: grid({}) },
  rsq: {
    fields: { group: 16, rotate: false, least: 1, most: 1 },
    unrelated: true,
    baseline: grid({}),
  },
  quantease: { fields: { group: 16 }, unrelated: true, baseline: grid({}) },
  awq: { fields: { group: 16, ratios: 1, clip: false }, baseline: grid({ rule: "awq" }) },
  smoothquant_plus: { fields: { group: 16, smooth: false }, baseline: grid({}) },
  os_plus: { fields: { group: 16, thresholds: 0, shift: false }, baseline: grid({}) },
  dgq: "its scales are whole numbers times a row's, under every setting",
  // One group is the same either way.
  adadim: { fields: { group: 0 }, baseline: grid({ granularity: "tensor" }) },
  flexround: { fields: { group: 16, steps: 0 }, baseline: grid({}) },
  gwq: { fields: { group: 16, outliers: 0 }, baseline: grid({}) },
  pb_llm: "its eight bits span what is salient, its signs what is not",
  fp6: { fields: { rounding: "gptq" }, unrelated: true, baseline: book(e3m2, "row") },
  zeroquant_fp: { fields: { group: 16, rank: 0 }, unrelated: true, baseline: book(e2m1, 16) },
  lq_lora: {
    fields: { group: 16, rank: 0, double_quant: false },
    baseline: (matrix) => decodeBlocks(encodeBlocks(matrix, { book: nf3, granularity: 16 })),
  },
  bitstack: "sums of parts have no grid; all ranks of one part are the matrix, in its own test",
};

for (const quantizer of quantizers) {
  const nothing = nothings[quantizer.name];
  const exempt = typeof nothing === "string" ? nothing : false;
  describe(quantizer.name, () => {
    it("does nothing but round under the setting that does nothing", { skip: exempt }, async () => {
      assert.ok(typeof nothing === "object", "it is not known here");
      for (const [rows, columns] of [
        [16, 64],
        [7, 33],
      ] as const) {
        const matrix = weights({ rows, columns });
        const x = nothing.unrelated && unrelatedInputs(columns);
        const packed = await packedBy(quantizer, matrix, nothing.fields, x);
        assert.deepEqual(valuesOf(quantizer, packed), nothing.baseline(matrix));
      }
    });
  });
}

/** The identity. */
function unrelatedInputs(width: number): Float32Array {
  const x = new Float32Array(width * width);
  for (let i = 0; i < width; i++) x[i * width + i] = 1;
  return x;
}

function grid(options: Partial<GridOptions>) {
  const own = { bits: 4, symmetric: false, granularity: 16, roundScale: halfScale, ...options };
  return (matrix: SiteMatrix): Float32Array => {
    const fitted = fitGrid(matrix, own);
    return decodeGrid(encodeGrid(matrix, fitted), fitted);
  };
}

function book(of: CodeBook, granularity: "row" | number) {
  return (matrix: SiteMatrix): Float32Array =>
    decodeBlocks(encodeBlocks(matrix, { book: of, granularity, roundScale: halfScale }));
}

function blocks(of: typeof nf4CodeBook) {
  return ({ data }: SiteMatrix): Float32Array => {
    const made = quantizeReference(data, of, 64);
    assert.ok(made.kind === "quantized");
    return dequantizeReference(made, of, 64, 0, data.length);
  };
}
