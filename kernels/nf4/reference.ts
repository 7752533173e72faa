/** @file 4-bit block quantization in plain TypeScript, element by element: the definition that the WebAssembly must equal. */
import { rankTable, type CodeBook } from "./code-books.ts";

/** A quantized run of elements. */
export interface BlockCodes {
  /** [elements / 2, rounded up]: two codes a byte, the first in the high nibble. */
  readonly codes: Uint8Array;
  /** [blocks]: the largest magnitude in each block, float32. */
  readonly absmax: Float32Array;
}

/** What quantizing gives: codes, or the index of the first element that is NaN or infinite. */
export type Quantized =
  | ({ readonly kind: "quantized" } & BlockCodes)
  | { readonly kind: "not-finite"; readonly index: number };

/**
 * Block by block: a = max |x|, y = x · (1 / a) with the reciprocal in float32, code = the one whose
 * rank is the number of midpoints strictly below y. The last block may be short; an odd count is
 * padded with the code of zero. Like bitsandbytes in PyTorch, a is taken as at least 1e-38 in the
 * reciprocal, so that a block of zeros becomes codes of zero; unlike it, a short last block
 * multiplies by the reciprocal too (as in CUDA) and stores its true maximum.
 */
export function quantizeReference(
  values: Float32Array,
  book: CodeBook,
  blockSize: number,
): Quantized {
  const { midpoints, order } = rankTable(book);
  const codeOf = (y: number) => order[midpoints.filter((midpoint) => midpoint < y).length] ?? 0;
  const absmax = new Float32Array(Math.ceil(values.length / blockSize));
  const codes = new Uint8Array(Math.ceil(values.length / 2));
  for (let block = 0; block < absmax.length; block++) {
    const first = block * blockSize;
    const last = Math.min(first + blockSize, values.length);
    let top = 0;
    for (let i = first; i < last; i++) {
      const magnitude = Math.abs(values[i] ?? NaN);
      if (!(magnitude < Infinity)) return { kind: "not-finite", index: i };
      top = Math.max(top, magnitude);
    }
    absmax[block] = top;
    const inverse = Math.fround(1 / Math.max(top, Math.fround(1e-38)));
    for (let i = first; i < last; i++) {
      const code = codeOf(Math.fround((values[i] ?? NaN) * inverse));
      codes[i >> 1] = (codes[i >> 1] ?? 0) | (i % 2 === 0 ? code << 4 : code);
    }
  }
  if (values.length % 2 === 1)
    codes[values.length >> 1] = (codes[values.length >> 1] ?? 0) | codeOf(0);
  return { kind: "quantized", codes, absmax };
}

/** Elements [first, first + count): book[code] · absmax[block], in float32. */
export function dequantizeReference(
  { codes, absmax }: BlockCodes,
  book: CodeBook,
  blockSize: number,
  first: number,
  count: number,
): Float32Array {
  return Float32Array.from({ length: count }, (_, offset) => {
    const i = first + offset;
    const byte = codes[i >> 1] ?? NaN;
    const code = i % 2 === 0 ? byte >> 4 : byte & 15;
    return (book[code] ?? NaN) * (absmax[Math.floor(i / blockSize)] ?? NaN);
  });
}
