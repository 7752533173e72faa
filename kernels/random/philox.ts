/** @file Philox4x32-10, the counter-based generator under every random number of a run. */

/** The 64-bit key of a stream, low word first; made by `streamKey`. */
export type StreamKey = readonly [number, number];

/** 128 bits as four uint32. */
export type Block = readonly [number, number, number, number];

export const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
const keySteps = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;

/** The ten round keys: the key plus multiples of two odd constants. */
export function roundKeys([k0, k1]: StreamKey): readonly StreamKey[] {
  return Array.from({ length: rounds }, (_, i) => [
    (k0 + Math.imul(i, keySteps[0])) >>> 0,
    (k1 + Math.imul(i, keySteps[1])) >>> 0,
  ]);
}

/**
 * The block of a counter: a bijection of 128 bits, keyed (Salmon, Moraes, Dror, Shaw: Parallel
 * Random Numbers: As Easy as 1, 2, 3; 2011, https://doi.org/10.1145/2063384.2063405).
 */
export function philox(counter: Block, key: StreamKey): Block {
  let [x0, x1, x2, x3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const a = highWord(x0, multipliers[0]);
    const b = highWord(x2, multipliers[1]);
    const low0 = Math.imul(x0, multipliers[0]);
    const low2 = Math.imul(x2, multipliers[1]);
    x0 = b ^ x1 ^ k0;
    x2 = a ^ x3 ^ k1;
    x1 = low2;
    x3 = low0;
    k0 = (k0 + keySteps[0]) | 0;
    k1 = (k1 + keySteps[1]) | 0;
  }
  return [x0 >>> 0, x1 >>> 0, x2 >>> 0, x3 >>> 0];
}

/** Block number `index` of a stream; `domain` tells apart streams of one key. */
export function streamBlock(key: StreamKey, index: number, domain: number): Block {
  return philox([index >>> 0, Math.floor(index / 2 ** 32) >>> 0, 0, domain], key);
}

/** The upper 32 bits of the product of two uint32, from four products of 16-bit halves. */
function highWord(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = Math.imul(aHigh, bLow) >>> 0;
  const middle = (Math.imul(aLow, bHigh) >>> 0) + (Math.imul(aLow, bLow) >>> 16) + (cross & 0xffff);
  // (2^16 - 1)² + 2 (2^16 - 1) = 2^32 - 1, so the sum still is a uint32.
  return (Math.imul(aHigh, bHigh) + (cross >>> 16) + (middle >>> 16)) | 0;
}
