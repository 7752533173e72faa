/** @file 4-bit block quantization: the WebAssembly equals the plain reference, for any offsets, and refuses what is not finite. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { createNf4, fp4CodeBook, nf4CodeBook, nestScales } from "../../../kernels/nf4/index.ts";
import type { BlockCodes, Nf4, Quantized } from "../../../kernels/nf4/index.ts";
import { rankTable } from "../../../kernels/nf4/code-books.ts";
import { cascadeSum } from "../../../kernels/nf4/cascade-sum.ts";
import { unnestScales } from "../../../kernels/nf4/nested-scales.ts";
import { dequantizeReference, quantizeReference } from "../../../kernels/nf4/reference.ts";
import { buildKernels } from "../../../src/build/kernels.ts";
import { kernelBytes } from "../../../src/engine/runtime/kernels.ts";
import { pseudoRandom } from "./pseudo-random.ts";

const staged = 65536;
let wasm: Uint8Array;
before(async () => {
  await buildKernels();
  wasm = kernelBytes("nf4");
});

function values(count: number, seed: number): Float32Array {
  const next = pseudoRandom(seed);
  return Float32Array.from({ length: count }, () => (next() - 0.5) * 2 ** Math.floor(next() * 9));
}

function packed(quantized: Quantized): BlockCodes {
  if (quantized.kind !== "quantized") assert.fail(`refused at ${quantized.index}`);
  return quantized;
}

describe("quantize", () => {
  for (const count of [0, 1, 2, 31, 63, 64, 65, 127, 1000, staged - 1, staged, staged + 1])
    it(`equals the reference on ${count} values`, () => {
      const kernel = createNf4(wasm, { scratchElements: 0 });
      const x = values(count, count);
      assert.deepEqual(kernel.quantize(x), quantizeReference(x, nf4CodeBook, 64));
    });
  for (const blockSize of [32, 128, 4096])
    it(`equals the reference with blocks of ${blockSize}, and with FP4`, () => {
      const x = values(9001, blockSize);
      const options = { scratchElements: 0, blockSize };
      assert.deepEqual(
        createNf4(wasm, options).quantize(x),
        quantizeReference(x, nf4CodeBook, blockSize),
      );
      assert.deepEqual(
        createNf4(wasm, { ...options, codeBook: fp4CodeBook }).quantize(x),
        quantizeReference(x, fp4CodeBook, blockSize),
      );
    });
  it("equals the reference at every midpoint, and at the floats beside it", () => {
    const { midpoints } = rankTable(nf4CodeBook);
    const beside = (x: number, step: number): number => {
      const [bits, value] = [new Int32Array(1), Float32Array.of(x)];
      bits.set(new Int32Array(value.buffer));
      bits[0] = (bits[0] ?? 0) + step;
      return new Float32Array(bits.buffer)[0] ?? NaN;
    };
    const near = midpoints.flatMap((y) => [-1, 0, 1].map((step) => beside(y, step)));
    // Also where parts of the range begin, and scales whose reciprocal is rounded.
    const edges = Array.from({ length: 33 }, (_, part) => (part - 16.5) / 15).filter((y) => Math.abs(y) <= 1); // prettier-ignore
    for (const scale of [1, 3, 0.7, 1e-30]) {
      const x = Float32Array.from([...near, ...edges, ...near].slice(0, 127), (y) => scale * y);
      const blocks = Float32Array.of(...x.subarray(0, 63), -scale, ...x.subarray(63), scale);
      const kernel = createNf4(wasm, { scratchElements: 0 });
      assert.deepEqual(kernel.quantize(blocks), quantizeReference(blocks, nf4CodeBook, 64));
    }
  });
  it("a shorter call after a longer one sees nothing of it", () => {
    const kernel = createNf4(wasm, { scratchElements: 0 });
    const x = values(33, 5);
    kernel.quantize(values(5000, 4));
    assert.deepEqual(kernel.quantize(x), quantizeReference(x, nf4CodeBook, 64));
  });
  it("maps zeros, subnormals and the largest floats without a NaN", () => {
    const kernel = createNf4(wasm, { scratchElements: 256 });
    const largest = 3.4028234663852886e38;
    for (const x of [0, -0, 1.4e-45, 2 ** -127, -largest, largest]) {
      const block = Float32Array.of(x, ...new Array<number>(63).fill(x / 2));
      const made = kernel.quantize(block);
      assert.deepEqual(made, quantizeReference(block, nf4CodeBook, 64));
      const { codes, absmax } = packed(made);
      assert.ok(kernel.decode(codes, absmax, 0, 64).every(Number.isFinite));
    }
  });
  for (const bad of [NaN, Infinity, -Infinity])
    for (const index of [0, 70, staged + 7])
      it(`names the place of ${bad} at ${index}`, () => {
        const kernel = createNf4(wasm, { scratchElements: 0 });
        const x = values(staged + 9, 1);
        x[index] = bad;
        x[staged + 8] = bad;
        const refused: Quantized = { kind: "not-finite", index };
        assert.deepEqual(kernel.quantize(x), refused);
        assert.deepEqual(quantizeReference(x, nf4CodeBook, 64), refused);
      });
});

describe("decode", () => {
  const count = 2 * staged + 777;
  let kernel: Nf4;
  let run: BlockCodes;
  let whole: Float32Array;
  before(() => {
    kernel = createNf4(wasm, { scratchElements: count + 100 });
    run = packed(kernel.quantize(values(count, 9)));
    whole = dequantizeReference(run, nf4CodeBook, 64, 0, count);
  });

  it("equals the reference from any element to any other", () => {
    const next = pseudoRandom(77);
    const edges = [0, 1, 15, 16, 17, 63, 64, 65, staged - 1, staged, staged + 1, count - 1, count];
    const pairs = edges.flatMap((a) => edges.filter((b) => b >= a).map((b) => [a, b] as const));
    const drawn = Array.from({ length: 60 }, () => {
      const first = Math.floor(next() * count);
      return [first, first + Math.floor(next() * Math.min(500, count - first))] as const;
    });
    for (const [first, end] of [...pairs, ...drawn]) {
      const decoded = kernel.decode(run.codes, run.absmax, first, end - first);
      assert.deepEqual(decoded, whole.slice(first, end), `[${first}, ${end})`);
    }
  });
  it("writes where it is told and nowhere else, always into the same buffer", () => {
    kernel.scratch.fill(-7);
    const { buffer } = kernel.scratch;
    const part = kernel.decode(run.codes, run.absmax, 3, 70, 11);
    assert.equal(part.buffer, buffer);
    assert.equal(part.byteOffset, kernel.scratch.byteOffset + 44);
    assert.deepEqual(part, whole.slice(3, 73));
    assert.ok(kernel.scratch.subarray(0, 11).every((x) => x === -7));
    assert.ok(kernel.scratch.subarray(81).every((x) => x === -7));
    kernel.quantize(values(staged * 2, 3));
    assert.deepEqual(part, whole.slice(3, 73));
    assert.equal(kernel.scratch.buffer, buffer);
  });
  it("un-nests doubly quantized scales on the way", () => {
    const nested = nestScales(run.absmax);
    const scales = unnestScales(nested);
    for (const [first, length] of [
      [0, count],
      [64 * 255 + 5, 200],
      [staged - 3, 64 * 300],
    ] as const) {
      const flat = kernel.decode(run.codes, scales, first, length).slice();
      assert.deepEqual(kernel.decode(run.codes, nested, first, length), flat);
    }
  });
  it("every code times every kind of scale is one float32 product", () => {
    const codes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const scales = Float32Array.of(1, 1e-40, 3e38, 0, 0.1, 7, 2 ** -140, 1 / 3);
    const expected = dequantizeReference({ codes, absmax: scales }, nf4CodeBook, 64, 0, 512);
    assert.deepEqual(kernel.decode(codes, scales, 0, 512), expected);
  });
  it("refuses what would read or write outside", () => {
    const { codes, absmax } = run;
    const nested = nestScales(absmax);
    for (const call of [
      () => kernel.decode(codes, absmax, 0, count + 2),
      () => kernel.decode(codes.subarray(1), absmax, 0, count),
      () => kernel.decode(codes, absmax.subarray(1), 0, count),
      () => kernel.decode(codes, { ...nested, absmax: nested.absmax.subarray(1) }, 0, count),
      () => kernel.decode(codes, { ...nested, codes: nested.codes.subarray(1) }, 0, count),
      () => kernel.decode(codes, absmax, 0, count, 101),
      () => kernel.decode(codes, absmax, -64, 64),
      () => kernel.decode(codes, absmax, 0, 64, -1),
      () => kernel.decode(codes, absmax, 0.5, 64),
      () => kernel.decode(codes, absmax, 0, NaN),
      () => createNf4(wasm, { scratchElements: 2 ** 31 }),
      () => createNf4(wasm, { scratchElements: -1 }),
      () => createNf4(wasm, { scratchElements: 1, blockSize: 48 }),
      () => createNf4(wasm, { scratchElements: 1, codeBook: [0, 1] }),
    ])
      assert.throws(call, RangeError);
  });
});

describe("cascadeSum", () => {
  it("adds whole numbers exactly, whatever their count", () => {
    for (const count of [0, 1, 7, 8, 9, 31, 32, 33, 511, 512, 513, 5000, 40961]) {
      const x = Float32Array.from({ length: count }, (_, i) => i % 13);
      assert.equal(
        cascadeSum(x),
        x.reduce((sum, value) => sum + value, 0),
      );
    }
  });
});
