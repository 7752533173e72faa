/** @file 16-bit and 32-bit floats into each other, bit by bit, and the search for NaN and Inf. */
import type { DType } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";

/** The 16-bit float types; their values are held as bits in a Uint16Array. */
export type HalfType = "float16" | "bfloat16";

/** Every 16-bit float is a float32: exact, the bits of a NaN included. `into` has the same length. */
export function halfToFloat32(type: HalfType, from: Uint16Array, into: Float32Array): void {
  invariant(from.length === into.length, "both sides of a conversion have one length");
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
  if (type === "bfloat16") bfloat16ToFloat32Bits(from, bits);
  else float16ToFloat32Bits(from, bits);
}

/**
 * Rounds to the nearest 16-bit float, ties to even, as IEEE 754 and PyTorch do; what is too large
 * becomes infinite. A NaN keeps its sign and the upper bits of its payload, so that a value that
 * came from 16 bits goes back to the same bits (PyTorch makes every NaN 0x7fc0 in bfloat16).
 */
export function float32ToHalf(type: HalfType, from: Float32Array, into: Uint16Array): void {
  invariant(from.length === into.length, "both sides of a conversion have one length");
  const bits = new Uint32Array(from.buffer, from.byteOffset, from.length);
  if (type === "bfloat16") float32BitsToBfloat16(bits, into);
  else float32BitsToFloat16(bits, into);
}

/**
 * Index of the first NaN or infinite element, `undefined` where every one is finite. Integers are
 * always finite. `bytes` hold whole elements.
 */
export function findNonFinite(bytes: Uint8Array, dtype: DType): number | undefined {
  switch (dtype) {
    case "float32":
      return firstWithFullExponent(wordsOf(bytes), 0x7f800000, 0x00800000, 0x80000000, 1);
    case "float16":
      return firstWithFullExponent(wordsOf(bytes), 0x7c007c00, 0x04000400, 0x80008000, 2);
    case "bfloat16":
      return firstWithFullExponent(wordsOf(bytes), 0x7f807f80, 0x00800080, 0x80008000, 2);
    case "float64":
      return firstNonFiniteDouble(wordsOf(bytes));
    case "int64":
    case "int32":
    case "int16":
    case "int8":
    case "uint32":
    case "uint16":
    case "uint8":
    case "bool":
      return undefined;
  }
}

function bfloat16ToFloat32Bits(from: Uint16Array, bits: Uint32Array): void {
  for (let i = 0; i < bits.length; i += 1) bits[i] = (from[i] ?? 0) << 16;
}

/** Float32 bits of each of the 65,536 float16 values: faster than the arithmetic, 256 KB. */
let float16Table: Uint32Array | undefined;

function float16ToFloat32Bits(from: Uint16Array, bits: Uint32Array): void {
  float16Table ??= Uint32Array.from({ length: 0x10000 }, (_, half) => bitsOfFloat16(half));
  const table = float16Table;
  for (let i = 0; i < bits.length; i += 1) bits[i] = table[from[i] ?? 0] ?? 0;
}

/** float16: sign 1, exponent 5 (bias 15), fraction 10; float32: sign 1, exponent 8 (bias 127), fraction 23. */
function bitsOfFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = half & 0x7c00;
  const fraction = half & 0x3ff;
  if (exponent === 0x7c00) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | (((half & 0x7fff) << 13) + ((127 - 15) << 23));
  if (fraction === 0) return sign;
  // Subnormal, fraction · 2⁻²⁴: shift the leading one out, which float32 does not store.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | ((fraction << (13 + shift)) & 0x7fffff);
}

function float32BitsToBfloat16(bits: Uint32Array, into: Uint16Array): void {
  for (let i = 0; i < into.length; i += 1) {
    const word = bits[i] ?? 0;
    // Adding one less than half a unit, and one more where the kept part is odd, rounds ties to even.
    into[i] =
      (word & 0x7fffffff) > 0x7f800000
        ? bfloat16NaN(word)
        : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
}

function bfloat16NaN(word: number): number {
  const upper = word >>> 16;
  return (upper & 0x7f) === 0 ? upper | 0x40 : upper;
}

/** The smallest normal float16, 2⁻¹⁴, and 2¹⁶, which none holds; rounding 65520 and more below it carries into infinity. */
const smallestNormal = 0x38800000;
const tooLarge = 0x47800000;

function float32BitsToFloat16(bits: Uint32Array, into: Uint16Array): void {
  for (let i = 0; i < into.length; i += 1) {
    const word = bits[i] ?? 0;
    const magnitude = word & 0x7fffffff;
    into[i] =
      magnitude >= smallestNormal && magnitude < tooLarge
        ? ((word >>> 16) & 0x8000) |
          ((magnitude - ((127 - 15) << 23) + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
        : float16OfExtreme(word);
  }
}

/** Of a float32 that float16 holds as a subnormal, zero, infinite or NaN. */
function float16OfExtreme(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7c00 | ((magnitude >>> 13) & 0x3ff || 0x200);
  if (magnitude >= tooLarge) return sign | 0x7c00;
  // fraction · 2^(exponent − 150) in units of 2⁻²⁴; below half a unit nothing is left.
  const shift = 126 - (magnitude >>> 23);
  if (shift > 24) return sign;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  return sign | ((fraction + (1 << (shift - 1)) - 1 + ((fraction >>> shift) & 1)) >>> shift);
}

/** Whole 32-bit words, then what is left of the bytes, filled up with zeros. */
type Words = readonly [whole: Uint32Array, rest: Uint32Array];

function wordsOf(bytes: Uint8Array): Words {
  // A view needs an aligned start; bytes from a weight source always have one.
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const count = Math.floor(aligned.length / 4);
  const rest = new Uint8Array(4);
  rest.set(aligned.subarray(count * 4));
  const whole = new Uint32Array(aligned.buffer, aligned.byteOffset, count);
  return [whole, new Uint32Array(rest.buffer)];
}

/** Words looked at before the sum of their signs is. */
const blockWords = 4096;

/**
 * A float is NaN or infinite exactly if all bits of its exponent are set. Adding `one` to the
 * exponents that `mask` leaves carries into the sign's place then and only then; `perWord` floats
 * are tested at once, lower first.
 */
function firstWithFullExponent(
  parts: Words,
  mask: number,
  one: number,
  carry: number,
  perWord: 1 | 2,
): number | undefined {
  let before = 0;
  for (const words of parts) {
    for (let start = 0; start < words.length; start += blockWords) {
      const end = Math.min(start + blockWords, words.length);
      let seen = 0;
      for (let i = start; i < end; i += 1) seen |= (((words[i] ?? 0) & mask) + one) & carry;
      if (seen === 0) continue;
      const hit = (word: number) => ((word & mask) + one) & carry;
      const index = words.subarray(start, end).findIndex((word) => hit(word) !== 0);
      const upper = perWord === 2 && (hit(words[start + index] ?? 0) & 0x8000) === 0;
      return (before + start + index) * perWord + (upper ? 1 : 0);
    }
    before += words.length;
  }
  return undefined;
}

function firstNonFiniteDouble([words]: Words): number | undefined {
  for (let i = 1; i < words.length; i += 2)
    if (((words[i] ?? 0) & 0x7ff00000) === 0x7ff00000) return (i - 1) / 2;
  return undefined;
}
