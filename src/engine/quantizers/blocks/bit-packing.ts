/** @file Codes of 1 to 8 bits without gaps: code i has the bits from i · bits on, the lowest first, in bytes that count up. */

/** Bytes that `count` codes take. */
export function packedBytes(count: number, bits: number): number {
  checkBits(bits);
  return Math.ceil((count * bits) / 8);
}

/**
 * Packs `codes` (each below 2^bits; RangeError otherwise). Read as little-endian words this is GPTQ's
 * order: 32 / bits codes to a word of 32 bits, and 32 codes to three words at 3 bits. Bits past the
 * last code are zero.
 */
export function packBits(codes: Uint8Array, bits: number): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(packedBytes(codes.length, bits));
  const limit = 2 ** bits;
  let held = 0;
  let count = 0;
  let to = 0;
  for (const [i, code] of codes.entries()) {
    if (code >= limit) throw new RangeError(`Code ${i} is ${code}, beyond ${bits} bits.`);
    held |= code << count;
    count += bits;
    if (count < 8) continue;
    packed[to++] = held & 255;
    held >>= 8;
    count -= 8;
  }
  if (count > 0) packed[to] = held;
  return packed;
}

/** Codes [first, first + count) of a packed run; RangeError where it is too short. */
export function unpackBits(
  packed: Uint8Array,
  bits: number,
  count: number,
  first = 0,
): Uint8Array<ArrayBuffer> {
  if (![count, first].every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new RangeError(`Codes [${first}, ${first + count}) cannot be unpacked.`);
  const need = packedBytes(first + count, bits);
  if (packed.length < need)
    throw new RangeError(
      `${first + count} codes of ${bits} bits take ${need} bytes, not ${packed.length}.`,
    );
  const codes = new Uint8Array(count);
  const mask = 2 ** bits - 1;
  for (let i = 0; i < count; i++) {
    const bit = (first + i) * bits;
    const at = Math.floor(bit / 8);
    const both = (packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8);
    codes[i] = (both >> (bit % 8)) & mask;
  }
  return codes;
}

function checkBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 8)
    throw new RangeError(`A code has 1 to 8 bits, not ${bits}.`);
}
