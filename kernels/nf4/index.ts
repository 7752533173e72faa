/** @file 4-bit block quantization in WebAssembly: packing at load time, and decoding into a buffer that never moves. */
import { instantiate, regions } from "../wasm.ts";
import { nf4CodeBook, partTable, rankTable, type CodeBook } from "./code-books.ts";
import { dynamicMap, nestedBlock, type NestedScales } from "./nested-scales.ts";
import type { Quantized } from "./reference.ts";

export { fp4CodeBook, nf4CodeBook, type CodeBook } from "./code-books.ts";
export { nestScales, unnestScales, type NestedScales } from "./nested-scales.ts";
export type { BlockCodes, Quantized } from "./reference.ts";

/** The scale of each block: float32, or doubly quantized. */
export type Scales = Float32Array | NestedScales;

export interface Nf4Options {
  /** Elements that {@link Nf4.decode} can hold at once: that many float32 are reserved. */
  readonly scratchElements: number;
  /** Elements that share a scale: a power of two from 32 to 4096; 64 where not given. */
  readonly blockSize?: number;
  /** NF4 where not given. */
  readonly codeBook?: CodeBook;
}

export interface Nf4 {
  /** The decoded elements; its buffer is allocated once, so tensors may be views of it. */
  readonly scratch: Float32Array<ArrayBuffer>;
  /**
   * Decodes elements [first, first + count) of a quantized run to `scratch` from its element `at`
   * on (0 where not given) and returns that part of `scratch`. RangeError where anything is short.
   */
  decode(
    codes: Uint8Array,
    scales: Scales,
    first: number,
    count: number,
    at?: number,
  ): Float32Array<ArrayBuffer>;
  /** Packs values; equals `quantizeReference`. `scratch` keeps its contents. */
  quantize(values: Float32Array): Quantized;
}

/** Elements that are staged at a time: what is staged stays in the second-level cache. */
const chunk = 65536;

/** 4-bit quantization over one memory of `scratchElements` float32 and 0.4 MB. `wasm`: `nf4.wasm`. */
export function createNf4(
  wasm: Uint8Array,
  { scratchElements, blockSize = 64, codeBook = nf4CodeBook }: Nf4Options,
): Nf4 {
  const blockShift = Math.log2(blockSize);
  if (!Number.isInteger(blockShift) || blockSize < 32 || blockSize > 4096)
    throw new RangeError(`A block has 32, 64, … or 4096 elements, not ${blockSize}.`);
  if (!Number.isSafeInteger(scratchElements) || scratchElements < 0)
    throw new RangeError(`A scratch of ${scratchElements} elements cannot be made.`);
  const { midpoints, order } = rankTable(codeBook);

  const space = regions();
  const blocks = chunk / blockSize;
  const at = {
    book: space.take(128),
    thresholds: space.take(15 * 16 + 64 + 32),
    order: space.take(16),
    map: space.take(1024),
    scales: space.take(4 * (blocks + 1)),
    scaleCodes: space.take(256 + blocks),
    nested: space.take(4 * (2 + blocks / 256)),
    codes: space.take(chunk / 2),
    values: space.take(4 * chunk),
    scratch: space.take(4 * scratchElements),
  };
  const kernel = instantiate(wasm, space.bytes);
  const decodeChunk = kernel.fn("decode");
  const unnestChunk = kernel.fn("unnest");
  const encodeChunk = kernel.fn("encode");
  const { memory } = kernel;

  const floats = new Float32Array(memory);
  const bytes = new Uint8Array(memory);
  const scratch = new Float32Array(memory, at.scratch, scratchElements);
  floats.set(codeBook, at.book / 4);
  const book = bytes.slice(at.book, at.book + 64);
  bytes.set(planesOf(book), at.book + 64);
  floats.set(
    midpoints.flatMap((y) => [y, y, y, y]),
    at.thresholds / 4,
  );
  const ends = new Uint8Array(Float32Array.of(...midpoints, Infinity).buffer);
  bytes.set(planesOf(ends), at.thresholds + 240);
  const parts = partTable(midpoints);
  if (parts) bytes.set(parts, at.thresholds + 304);
  bytes.set(order, at.order);
  floats.set(dynamicMap, at.map / 4);

  /** Brings the scales of blocks [first, last) to `at.scales`. */
  function stageScales(scales: Scales, first: number, last: number): void {
    if (scales instanceof Float32Array) {
      floats.set(scales.subarray(first, last), at.scales / 4);
      return;
    }
    const skipped = first % 256;
    bytes.set(scales.codes.subarray(first, last), at.scaleCodes + skipped);
    const nested = scales.absmax.subarray(first >> 8, ((last - 1) >> 8) + 1);
    floats.set(nested, at.nested / 4);
    unnestChunk(
      ...[at.scaleCodes, at.nested, at.map, scales.offset, skipped, last - first, at.scales],
    );
  }

  return {
    scratch,
    decode(codes, scales, first, count, to = 0) {
      const end = first + count;
      const last = Math.ceil(end / blockSize);
      const flat = scales instanceof Float32Array;
      if (![first, count, to].every((value) => Number.isSafeInteger(value) && value >= 0))
        throw new RangeError(`Elements [${first}, ${end}) cannot be decoded to ${to}.`);
      for (const [what, need, have] of [
        ["bytes of codes", Math.ceil(end / 2), codes.length],
        ["scales", last, flat ? scales.length : scales.codes.length],
        [
          "nested scales",
          flat ? 0 : Math.ceil(last / nestedBlock),
          flat ? 0 : scales.absmax.length,
        ],
        ["elements of scratch", to + count, scratchElements],
      ] as const)
        if (need > have) throw new RangeError(`Decoding needs ${need} ${what}, not ${have}.`);

      let done = first;
      while (done < end) {
        const base = done - (done % blockSize);
        const next = Math.min(base + chunk, end);
        bytes.set(codes.subarray(base / 2, Math.ceil(next / 2)), at.codes);
        stageScales(scales, base / blockSize, Math.ceil(next / blockSize));
        const out = at.scratch + 4 * (to + done - first);
        decodeChunk(at.codes, at.scales, blockShift, at.book, done - base, next - done, out);
        done = next;
      }
      return scratch.subarray(to, to + count);
    },
    quantize(values) {
      const codes = new Uint8Array(Math.ceil(values.length / 2));
      const absmax = new Float32Array(Math.ceil(values.length / blockSize));
      for (let first = 0; first < values.length; first += chunk) {
        const part = values.subarray(first, first + chunk);
        const partBlocks = Math.ceil(part.length / blockSize);
        const staged = at.values / 4;
        floats.set(part, staged);
        floats.fill(0, staged + part.length, staged + partBlocks * blockSize);
        const bad = encodeChunk(
          ...[at.values, partBlocks, blockShift, at.thresholds, parts ? 1 : 0],
          ...[at.order, at.codes, at.scales],
        );
        if (bad >= 0) {
          const from = bad * blockSize;
          const inBlock = part.subarray(from).findIndex((value) => !Number.isFinite(value));
          return { kind: "not-finite", index: first + from + inBlock };
        }
        const coded = Math.ceil(part.length / 2);
        codes.set(bytes.subarray(at.codes, at.codes + coded), first / 2);
        const scales = floats.subarray(at.scales / 4, at.scales / 4 + partBlocks);
        absmax.set(scales, first / blockSize);
      }
      return { kind: "quantized", codes, absmax };
    },
  };
}

/** The bytes of 16 float32 by their place in it. */
function planesOf(book: Uint8Array): readonly number[] {
  return [0, 1, 2, 3].flatMap((plane) => [...book.filter((_, i) => i % 4 === plane)]);
}
