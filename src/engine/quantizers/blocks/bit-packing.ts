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
  packInto(codes, bits, 0, codes.length, packed, 0);
  return packed;
}

/** Packs codes [first, first + count) to `packed` from byte `to` on, which must be zero there. */
export function packInto(
  codes: Uint8Array,
  bits: number,
  first: number,
  count: number,
  packed: Uint8Array,
  to: number,
): void {
  const limit = 2 ** bits;
  let held = 0;
  let have = 0;
  for (let i = 0; i < count; i++) {
    const code = codes[first + i] ?? 0;
    if (code >= limit) throw new RangeError(`Code ${first + i} is ${code}, beyond ${bits} bits.`);
    held |= code << have;
    have += bits;
    if (have < 8) continue;
    packed[to++] = held & 255;
    held >>= 8;
    have -= 8;
  }
  if (have > 0) packed[to] = held;
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
  const skipped = (first * bits) % 8;
  unpackInto(packed, bits, (first * bits - skipped) / 8, skipped, codes, 0, count);
  return codes;
}

/** Unpacks `count` codes, from bit `bit` (0 to 7) of byte `from` on, to `codes` from `to` on. */
export function unpackInto(
  packed: Uint8Array,
  bits: number,
  from: number,
  bit: number,
  codes: Uint8Array,
  to: number,
  count: number,
): void {
  const mask = 2 ** bits - 1;
  for (let i = 0; i < count; i++) {
    const both = (packed[from] ?? 0) | ((packed[from + 1] ?? 0) << 8);
    codes[to + i] = (both >> bit) & mask;
    bit += bits;
    if (bit < 8) continue;
    bit -= 8;
    from++;
  }
}

function checkBits(bits: number): void {
  if (!Number.isInteger(bits) || bits < 1 || bits > 8)
    throw new RangeError(`A code has 1 to 8 bits, not ${bits}.`);
}
