/**
 * @file Conversions between 16-bit and 32-bit floats over raw memory.
 *
 * Counts are multiples of 8, so that the caller's staging rounds up. NaN stays NaN with its sign and
 * the upper bits of its payload.
 */

export function expandBfloat16(bits: usize, count: usize, out: usize): void {
  const zero = i32x4.splat(0);
  for (let i: usize = 0; i < count; i += 8, bits += 16, out += 32) {
    const x = v128.load(bits);
    v128.store(out, v128.shuffle<u16>(zero, x, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(out, v128.shuffle<u16>(zero, x, 4, 12, 5, 13, 6, 14, 7, 15), 16);
  }
}

// Exponent and fraction, moved to their places in a float32, make the value times 2^-112, also for
// subnormals; the product with 2^112 is exact. The sign, and the full exponent of infinity and NaN,
// lie in the upper half of the float32 and are made for eight elements at once.
export function expandFloat16(bits: usize, count: usize, out: usize): void {
  const power = i32x4.splat((127 + 112) << 23);
  const zero = i32x4.splat(0);
  for (let i: usize = 0; i < count; i += 8, bits += 16, out += 32) {
    const x = v128.load(bits);
    const magnitude = v128.and(x, i16x8.splat(0x7fff));
    const special = v128.and(i16x8.gt_s(magnitude, i16x8.splat(0x7bff)), i16x8.splat(0x7f80));
    const upper = v128.or(v128.xor(x, magnitude), special);
    const low = f32x4.mul(v128.shl<i32>(i32x4.extend_low_i16x8_u(magnitude), 13), power);
    const high = f32x4.mul(v128.shl<i32>(i32x4.extend_high_i16x8_u(magnitude), 13), power);
    v128.store(out, v128.or(low, v128.shuffle<u16>(zero, upper, 0, 8, 1, 9, 2, 10, 3, 11)));
    v128.store(out, v128.or(high, v128.shuffle<u16>(zero, upper, 4, 12, 5, 13, 6, 14, 7, 15)), 16);
  }
}

// Adding half of what is cut off, less one where the kept part is even, rounds to nearest even.
function narrowBfloat16(x: v128): v128 {
  const odd = v128.and(v128.shr<u32>(x, 16), i32x4.splat(1));
  const rounded = i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd);
  const isNumber = f32x4.eq(x, x);
  const quiet = v128.or(x, i32x4.splat(0x400000));
  return v128.shr<u32>(v128.bitselect(rounded, quiet, isNumber), 16);
}

export function roundBfloat16(values: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count; i += 4, values += 16, out += 8) {
    const y = narrowBfloat16(v128.load(values));
    v128.store_lane<u64>(out, i16x8.narrow_i32x4_u(y, y), 0);
  }
}

function narrowFloat16(x: v128): v128 {
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  // From 2^-14 on: the exponent's bias falls by 112; too large a value carries into infinity's code.
  const odd = v128.and(v128.shr<u32>(magnitude, 13), i32x4.splat(1));
  const rebiased = i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - (112 << 23))), odd);
  const normal = v128.min<i32>(v128.shr<u32>(rebiased, 13), i32x4.splat(0x7c00));
  // Below: adding 1/2, whose last place is 2^-24, rounds to that and leaves the code in the low bits.
  const half = f32x4.splat(0.5);
  const subnormal = i32x4.sub(f32x4.add(magnitude, half), half);
  const number = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(113 << 23)));
  const nan = v128.or(
    v128.and(v128.shr<u32>(magnitude, 13), i32x4.splat(0x3ff)),
    i32x4.splat(0x7e00),
  );
  const code = v128.bitselect(nan, number, i32x4.gt_s(magnitude, i32x4.splat(0x7f800000)));
  return v128.or(code, v128.and(v128.shr<u32>(x, 16), i32x4.splat(0x8000)));
}

export function roundFloat16(values: usize, count: usize, out: usize): void {
  for (let i: usize = 0; i < count; i += 4, values += 16, out += 8) {
    const y = narrowFloat16(v128.load(values));
    v128.store_lane<u64>(out, i16x8.narrow_i32x4_u(y, y), 0);
  }
}
