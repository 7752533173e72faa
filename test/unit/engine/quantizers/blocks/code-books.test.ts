/** @file Code books and weights by code book: values, nearest codes against a search through all, scales, bytes. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { normalMatrix } from "../../../../../kernels/krylov/normal.ts";
import { createLinalg, type Linalg } from "../../../../../kernels/linalg/index.ts";
import { unnestScales } from "../../../../../kernels/nf4/nested-scales.ts";
import { fp4CodeBook, nf4CodeBook } from "../../../../../kernels/nf4/code-books.ts";
import { quantizeReference } from "../../../../../kernels/nf4/reference.ts";
import { buildKernels } from "../../../../../src/build/kernels.ts";
import {
  blockBytes,
  decodeBlocks,
  encodeBlocks,
} from "../../../../../src/engine/quantizers/blocks/book-blocks.ts";
import * as books from "../../../../../src/engine/quantizers/blocks/code-books.ts";
import {
  bookColumns,
  decodeColumns,
} from "../../../../../src/engine/quantizers/blocks/grid-columns.ts";
import {
  factorHessian,
  proxyError,
  sweepColumns,
} from "../../../../../src/engine/quantizers/blocks/hessian-solver.ts";
import { kernelBytes } from "../../../../../src/engine/runtime/kernels.ts";

const { nf2, nf3, nf4, fp4, dynamic8, e2m1, e3m2, e4m3, e5m2, ternary, binary } = books;
const powers = [2, 3, 4].flatMap((bits) =>
  [true, false].map((zero) => books.powersOfTwo(bits, { zero })),
);
const all = [nf2, nf3, nf4, fp4, dynamic8, e2m1, e3m2, e4m3, e5m2, ternary, binary, ...powers];

function weights(rows: number, columns: number, seed = 1) {
  return { rows, columns, data: new Float32Array(normalMatrix(rows, columns, seed).data) };
}

const squares = (a: Float32Array, b: Float32Array) =>
  a.reduce((sum, x, i) => sum + (x - (b[i] ?? NaN)) ** 2, 0);

describe("a code book", () => {
  for (const book of all)
    it(`${book.name} finds the nearest of its values, and its own`, () => {
      for (const [code, value] of book.values.entries())
        if (!Number.isNaN(value)) {
          const found = book.nearest(value);
          assert.equal((book.values[found] ?? NaN) + 0, value + 0);
          if (value !== 0) assert.equal(found, code);
        }
      for (const y of normalMatrix(1, 300, 7).data) {
        const at = Math.fround(y * book.top);
        const least = Math.min(
          ...[...book.values].filter(Number.isFinite).map((value) => Math.abs(value - at)),
        );
        const got = Math.abs((book.values[book.nearest(at)] ?? NaN) - at);
        assert.ok(got <= least * (1 + 1e-6), `${at}`);
      }
    });
  it("has the values of its format", () => {
    const positive = (book: books.CodeBook) => [...book.values].filter((x) => x >= 0);
    assert.deepEqual(positive(e2m1), [0, 0.5, 1, 1.5, 2, 3, 4, 6]);
    assert.equal(e3m2.values.length, 64);
    assert.deepEqual(positive(e3m2).slice(0, 6), [0, 0.0625, 0.125, 0.1875, 0.25, 0.3125]);
    assert.equal(new Set([...e3m2.values].filter(Number.isFinite)).size, 63);
    assert.equal(all.filter(({ bits }) => bits < 1 || bits > 8).length, 0);
    assert.deepEqual([e3m2.top, e4m3.top, e5m2.top, nf2.top], [28, 448, 57344, 1]);
    assert.deepEqual([...(powers[2]?.values ?? [])].slice(0, 4), [0, 0.25, 0.5, 1]);
    assert.deepEqual([...(powers[3]?.values ?? [])].slice(0, 4), [0.125, 0.25, 0.5, 1]);
    assert.ok(powers[3]?.values.includes(0) === false);
  });
  it("sends ties where the format says", () => {
    assert.equal(binary.nearest(0), 1);
    assert.equal(ternary.values[ternary.nearest(0.5)], 0);
    assert.equal(e2m1.values[e2m1.nearest(2.5)], 2);
    assert.equal(e2m1.values[e2m1.nearest(5)], 4);
    assert.equal(e2m1.values[e2m1.nearest(-5)], -4);
  });
});

describe("weights by code book", () => {
  it("have the codes and scales of the packed kernel for NF4 and FP4", () => {
    const data = weights(1, 1000).data;
    for (const [book, table] of [
      [nf4, nf4CodeBook],
      [fp4, fp4CodeBook],
    ] as const) {
      const blocks = encodeBlocks({ rows: 1, columns: 1000, data }, { book, granularity: 64 });
      const packed = quantizeReference(data, table, 64);
      assert.ok(packed.kind === "quantized");
      assert.deepEqual(blocks.scales, packed.absmax);
      const unpacked = Uint8Array.from({ length: 1000 }, (_, i) => {
        const byte = packed.codes[i >> 1] ?? NaN;
        return i % 2 === 0 ? byte >> 4 : byte & 15;
      });
      assert.deepEqual(blocks.codes, unpacked);
    }
  });
  it("err less with more bits, by group than by tensor", () => {
    const W = weights(6, 100, 3);
    W.data[5] = 12;
    const errorOf = (book: books.CodeBook, granularity: "tensor" | number) =>
      squares(W.data, decodeBlocks(encodeBlocks(W, { book, granularity })));
    for (const series of [
      [nf2, nf3, nf4],
      [e2m1, e3m2, e4m3],
    ]) {
      const errors = series.map((book) => errorOf(book, 16));
      assert.ok((errors[0] ?? NaN) > (errors[1] ?? NaN) && (errors[1] ?? NaN) > (errors[2] ?? NaN));
    }
    for (const book of [nf4, e2m1, e3m2]) assert.ok(errorOf(book, 16) < errorOf(book, "tensor"));
  });
  it("keep zeros, short groups and single numbers", () => {
    const data = new Float32Array(14);
    data[13] = -3;
    for (const book of all) {
      const values = decodeBlocks(encodeBlocks({ rows: 2, columns: 7, data }, { book, granularity: 4 })); // prettier-ignore
      assert.ok(values.subarray(0, 11).every((value) => value === 0));
      // The lowest value of the dynamic map is not −1.
      const most = book === dynamic8 ? 0.03 : 1e-6;
      assert.ok(Math.abs((values[13] ?? NaN) + 3) < most, book.name);
    }
  });
  it("take a mean or a median: the mean is the best scale of signs", () => {
    const W = weights(1, 60, 5);
    const options = { book: binary, granularity: "row", measure: "absmean" } as const;
    const blocks = encodeBlocks(W, options);
    assert.ok(blocks.scales instanceof Float32Array);
    const best = squares(W.data, decodeBlocks(blocks));
    for (const factor of [0.95, 1.05]) {
      const scales = blocks.scales.map((scale) => scale * factor);
      assert.ok(squares(W.data, decodeBlocks({ ...blocks, scales })) > best);
    }
    const odd = { rows: 1, columns: 4, data: new Float32Array([1, -2, 3, 100]) };
    const median = encodeBlocks(odd, { ...options, book: ternary, measure: "median" });
    assert.deepEqual(median.scales, new Float32Array([2]));
    assert.deepEqual(
      [...decodeBlocks(median)].map((x) => x + 0),
      [0, -2, 2, 2],
    );
  });
  it("round scales up to powers of two", () => {
    const W = weights(5, 40, 6);
    const options = { book: e2m1, granularity: 8 } as const;
    const free = encodeBlocks(W, options).scales;
    const bound = encodeBlocks(W, { ...options, powerOfTwo: true }).scales;
    assert.ok(free instanceof Float32Array && bound instanceof Float32Array);
    for (const [i, scale] of bound.entries()) {
      assert.ok(Number.isInteger(Math.log2(scale)));
      assert.ok(scale >= (free[i] ?? NaN) && scale < 2 * (free[i] ?? NaN));
    }
  });
  it("keep nested scales in 8 bits, with their bytes counted", () => {
    const W = weights(1, 64 * 300, 7);
    const flat = encodeBlocks(W, { book: nf3, granularity: 64 });
    const nested = encodeBlocks(W, { book: nf3, granularity: 64, nested: true });
    assert.deepEqual(nested.codes, flat.codes);
    assert.ok(!(nested.scales instanceof Float32Array) && flat.scales instanceof Float32Array);
    const again = unnestScales(nested.scales);
    for (const [i, scale] of flat.scales.entries())
      assert.ok(Math.abs((again[i] ?? NaN) - scale) < 0.02);
    assert.equal(blockBytes(flat), 24 * 300 + 4 * 300);
    assert.equal(blockBytes(nested), 24 * 300 + 300 + 4 * 2 + 4);
  });
  it("refuse NaN and infinities, by place", () => {
    for (const bad of [NaN, -Infinity]) {
      const data = new Float32Array([1, 2, 3, bad]);
      const options = { book: nf4, granularity: "row" } as const;
      assert.throws(() => encodeBlocks({ rows: 2, columns: 2, data }, options), /\[1, 1\]/);
    }
  });
});

describe("code books in the column sweep", () => {
  let linalg: Linalg;
  before(async () => {
    await buildKernels();
    linalg = createLinalg(kernelBytes("linalg"));
  });
  it("err less on correlated inputs than rounding to nearest", async () => {
    const W = weights(24, 64, 8);
    const common = normalMatrix(256, 1, 9).data;
    const data = normalMatrix(256, 64, 10).data.map((x, i) => x + 2 * (common[Math.floor(i / 64)] ?? NaN)); // prettier-ignore
    const X = { rows: 256, columns: 64, data };
    const H = await linalg.multiply(X, X, { transposeA: true });
    const factor = await factorHessian(linalg, H);
    for (const book of [nf2, nf3, nf4, e2m1, e3m2])
      for (const granularity of ["row", 32] as const) {
        const columns = bookColumns(W, { book, granularity });
        const { values } = await sweepColumns(linalg, W, factor, columns.quantize);
        const rounded = decodeBlocks(encodeBlocks(W, { book, granularity }));
        const swept = await proxyError(linalg, W, values, H);
        assert.ok(swept < 0.8 * (await proxyError(linalg, W, { ...W, data: rounded }, H)));
        const { codes, scales, rows = 24 } = { ...columns };
        const again = decodeBlocks({ book, granularity, rows, columns: 64, codes, scales });
        assert.deepEqual(again, new Float32Array(values.data));
      }
    assert.throws(() => decodeColumns(new Uint8Array(1), { bits: 4, rows: 1, columns: 2, granularity: "row", scales: new Float32Array(1), zeros: new Uint8Array(1) }, new Int32Array(2)), RangeError); // prettier-ignore
  });
});
