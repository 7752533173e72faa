/**
 * @file Four-bit block quantization over raw memory.
 *
 * The caller owns the layout; every pointer is a byte address. Codes hold two elements a byte, the
 * first in the high nibble. Relaxed SIMD is not used.
 */

// Elements decoded at a time; block lengths are multiples of it.
const GROUP: usize = 16;

// Elements [first, first + count) of a run of blocks of 2^blockShift elements, into out.
// book: 16 float32, then the same bytes as four planes of 16.
export function decode(
  codes: usize,
  absmax: usize,
  blockShift: usize,
  book: usize,
  first: usize,
  count: usize,
  out: usize,
): void {
  // A byte-wise look-up in each plane, interleaved again, turns 16 codes into 16 floats.
  const plane0 = v128.load(book, 64);
  const plane1 = v128.load(book, 80);
  const plane2 = v128.load(book, 96);
  const plane3 = v128.load(book, 112);
  const end = first + count;
  let i = first;
  while (i < end) {
    const scaleAt = absmax + ((i >> blockShift) << 2);
    if (i % GROUP == 0 && i + GROUP <= end) {
      const packed = v128.load_zero<u64>(codes + (i >> 1));
      const scale = v128.load_splat<f32>(scaleAt);
      const firsts = v128.shr<u8>(packed, 4);
      const seconds = v128.and(packed, i8x16.splat(15));
      const nibbles = lowBytes(firsts, seconds);
      const b0 = i8x16.swizzle(plane0, nibbles);
      const b1 = i8x16.swizzle(plane1, nibbles);
      const b2 = i8x16.swizzle(plane2, nibbles);
      const b3 = i8x16.swizzle(plane3, nibbles);
      const low01 = lowBytes(b0, b1);
      const low23 = lowBytes(b2, b3);
      const high01 = highBytes(b0, b1);
      const high23 = highBytes(b2, b3);
      v128.store(out, f32x4.mul(lowPairs(low01, low23), scale));
      v128.store(out, f32x4.mul(highPairs(low01, low23), scale), 16);
      v128.store(out, f32x4.mul(lowPairs(high01, high23), scale), 32);
      v128.store(out, f32x4.mul(highPairs(high01, high23), scale), 48);
      i += GROUP;
      out += GROUP * 4;
    } else {
      const byte = <usize>load<u8>(codes + (i >> 1));
      const nibble = i & 1 ? byte & 15 : byte >> 4;
      store<f32>(out, load<f32>(book + (nibble << 2)) * load<f32>(scaleAt));
      i++;
      out += 4;
    }
  }
}

function lowBytes(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

function highBytes(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

function lowPairs(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

function highPairs(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

// Scales [first, first + count) from their 8-bit codes: map[code] * nested[block of 256] + offset.
export function unnest(
  codes: usize,
  nested: usize,
  map: usize,
  offset: f32,
  first: usize,
  count: usize,
  out: usize,
): void {
  const end = first + count;
  for (let i = first; i < end; i++, out += 4) {
    const value = load<f32>(map + ((<usize>load<u8>(codes + i)) << 2));
    store<f32>(out, value * load<f32>(nested + ((i >> 8) << 2)) + offset);
  }
}

// Quantizes whole blocks: codes and one scale a block. thresholds: 15 × 4 float32, then the same and an
// infinity as four planes of 16 bytes, then for each of 32 parts of [-1, 1] the number of
// thresholds before it, where `parted`: no part holds more than one. order: 16 bytes, the code of each
// rank. Returns the index of the first block that holds a NaN or an infinity, or -1.
export function encode(
  values: usize,
  blocks: usize,
  blockShift: usize,
  thresholds: usize,
  parted: bool,
  orderAt: usize,
  codes: usize,
  absmax: usize,
): i32 {
  const length: usize = (<usize>1) << blockShift;
  const order = v128.load(orderAt);
  const magnitude = i32x4.splat(0x7fffffff);
  for (let block: usize = 0; block < blocks; block++) {
    // Magnitudes of floats compare like integers, and NaN and infinity come out on top.
    let top = i32x4.splat(0);
    for (let i: usize = 0; i < length << 2; i += 16)
      top = v128.max<i32>(top, v128.and(v128.load(values + i), magnitude));
    const bits = max(
      max(i32x4.extract_lane(top, 0), i32x4.extract_lane(top, 1)),
      max(i32x4.extract_lane(top, 2), i32x4.extract_lane(top, 3)),
    );
    if (bits >= 0x7f800000) return <i32>block;
    const scale = reinterpret<f32>(bits);
    store<f32>(absmax + (block << 2), scale);
    // A block of zeros (or of values whose reciprocal overflows) gets the code of 0.
    const inverse = <f32>1.0 / max<f32>(scale, <f32>1e-38);
    if (parted) encodeParted(values, length, inverse, thresholds + 240, order, codes);
    else encodeCounting(values, length, inverse, thresholds, order, codes);
    values += length << 2;
    codes += length >> 1;
  }
  return -1;
}

// A part of [-1, 1] says how many thresholds lie before it; the one that may lie in it is looked up
// and compared. Parts grow with the value, so the one threshold that could be wrong is in its own.
function encodeParted(
  values: usize,
  length: usize,
  inverse: f32,
  planes: usize,
  order: v128,
  codes: usize,
): void {
  const plane0 = v128.load(planes);
  const plane1 = v128.load(planes, 16);
  const plane2 = v128.load(planes, 32);
  const plane3 = v128.load(planes, 48);
  const before0 = v128.load(planes, 64);
  const before1 = v128.load(planes, 80);
  const factor = f32x4.splat(inverse);
  const fifteen = f32x4.splat(15);
  // Sums with 2^23 are whole numbers, rounded, in the lowest bits.
  const whole = f32x4.splat(8388624);
  const bits = i32x4.splat(0x4b000000);
  const half = i8x16.splat(16);
  for (let i: usize = 0; i < length; i += GROUP, values += 64, codes += 8) {
    const y0 = f32x4.mul(v128.load(values), factor);
    const y1 = f32x4.mul(v128.load(values, 16), factor);
    const y2 = f32x4.mul(v128.load(values, 32), factor);
    const y3 = f32x4.mul(v128.load(values, 48), factor);
    const part = narrowed(
      i32x4.sub(f32x4.add(f32x4.mul(y0, fifteen), whole), bits),
      i32x4.sub(f32x4.add(f32x4.mul(y1, fifteen), whole), bits),
      i32x4.sub(f32x4.add(f32x4.mul(y2, fifteen), whole), bits),
      i32x4.sub(f32x4.add(f32x4.mul(y3, fifteen), whole), bits),
    );
    const before = v128.or(
      i8x16.swizzle(before0, part),
      i8x16.swizzle(before1, i8x16.sub(part, half)),
    );
    const b0 = i8x16.swizzle(plane0, before);
    const b1 = i8x16.swizzle(plane1, before);
    const b2 = i8x16.swizzle(plane2, before);
    const b3 = i8x16.swizzle(plane3, before);
    const low01 = lowBytes(b0, b1);
    const low23 = lowBytes(b2, b3);
    const high01 = highBytes(b0, b1);
    const high23 = highBytes(b2, b3);
    // A comparison gives -1, hence the subtraction.
    const over = narrowed(
      f32x4.gt(y0, lowPairs(low01, low23)),
      f32x4.gt(y1, highPairs(low01, low23)),
      f32x4.gt(y2, lowPairs(high01, high23)),
      f32x4.gt(y3, highPairs(high01, high23)),
    );
    storeCodes(codes, i8x16.swizzle(order, i8x16.sub(before, over)));
  }
}

// Ranks by counting the thresholds that lie strictly below.
function encodeCounting(
  values: usize,
  length: usize,
  inverse: f32,
  thresholds: usize,
  order: v128,
  codes: usize,
): void {
  const factor = f32x4.splat(inverse);
  for (let i: usize = 0; i < length; i += GROUP, values += 64, codes += 8) {
    const y0 = f32x4.mul(v128.load(values), factor);
    const y1 = f32x4.mul(v128.load(values, 16), factor);
    const y2 = f32x4.mul(v128.load(values, 32), factor);
    const y3 = f32x4.mul(v128.load(values, 48), factor);
    let r0 = i32x4.splat(0);
    let r1 = r0;
    let r2 = r0;
    let r3 = r0;
    for (let t: usize = 0; t < 240; t += 16) {
      const threshold = v128.load(thresholds + t);
      r0 = i32x4.sub(r0, f32x4.gt(y0, threshold));
      r1 = i32x4.sub(r1, f32x4.gt(y1, threshold));
      r2 = i32x4.sub(r2, f32x4.gt(y2, threshold));
      r3 = i32x4.sub(r3, f32x4.gt(y3, threshold));
    }
    storeCodes(codes, i8x16.swizzle(order, narrowed(r0, r1, r2, r3)));
  }
}

// Sixteen small integers, signed, as bytes.
function narrowed(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

// Bytes 2j and 2j + 1 become the high and the low nibble of byte j.
function storeCodes(codes: usize, pairs: v128): void {
  const packed = v128.or(
    v128.shr<u16>(pairs, 8),
    v128.shl<u16>(v128.and(pairs, i16x8.splat(15)), 4),
  );
  v128.store_lane<u64>(codes, i8x16.narrow_i16x8_u(packed, packed), 0);
}
