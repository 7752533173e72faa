/**
 * @file Philox4x32-10 over raw memory, eight counters at a time, and what is made of its words.
 *
 * A table holds the ten round keys, each word four times (k0, then k1: 32 bytes a round), and after
 * them the two multipliers, four times each: V8 would build constants anew in every round.
 */

const ROUNDS: usize = 10 * 32;

// Words of blocks [first, first + 8·groups) to out, 16 bytes a block. Counter: (block, c2, c3).
export function words(
  table: usize,
  firstLow: u32,
  firstHigh: u32,
  c2: u32,
  c3: u32,
  groups: usize,
  out: usize,
): void {
  const m0 = v128.load(table + ROUNDS);
  const m1 = v128.load(table + ROUNDS, 16);
  let block = ((<u64>firstHigh) << 32) | firstLow;
  const end = out + (groups << 7);
  for (; out < end; out += 128, block += 8) {
    const low = i32x4.splat(<u32>block);
    const high = i32x4.splat(<u32>(block >> 32));
    // Lane j of x is block j, of y block 4 + j; the two chains hide each other's latency.
    let x0 = i32x4.add(low, i32x4(0, 1, 2, 3));
    let y0 = i32x4.add(low, i32x4(4, 5, 6, 7));
    let x1 = i32x4.sub(high, v128.lt<u32>(x0, low));
    let y1 = i32x4.sub(high, v128.lt<u32>(y0, low));
    let x2 = i32x4.splat(c2);
    let x3 = i32x4.splat(c3);
    let y2 = x2;
    let y3 = x3;
    for (let round: usize = 0; round < ROUNDS; round += 32) {
      const k0 = v128.load(table + round);
      const k1 = v128.load(table + round, 16);
      const a0 = i64x2.extmul_low_i32x4_u(x0, m0);
      const a1 = i64x2.extmul_high_i32x4_u(x0, m0);
      const b0 = i64x2.extmul_low_i32x4_u(x2, m1);
      const b1 = i64x2.extmul_high_i32x4_u(x2, m1);
      x0 = v128.xor(oddWords(b0, b1), v128.xor(x1, k0));
      x2 = v128.xor(oddWords(a0, a1), v128.xor(x3, k1));
      x1 = evenWords(b0, b1);
      x3 = evenWords(a0, a1);
      const c0 = i64x2.extmul_low_i32x4_u(y0, m0);
      const c1 = i64x2.extmul_high_i32x4_u(y0, m0);
      const d0 = i64x2.extmul_low_i32x4_u(y2, m1);
      const d1 = i64x2.extmul_high_i32x4_u(y2, m1);
      y0 = v128.xor(oddWords(d0, d1), v128.xor(y1, k0));
      y2 = v128.xor(oddWords(c0, c1), v128.xor(y3, k1));
      y1 = evenWords(d0, d1);
      y3 = evenWords(c0, c1);
    }
    storeTransposed(x0, x1, x2, x3, out);
    storeTransposed(y0, y1, y2, y3, out + 64);
  }
}

function evenWords(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 2, 4, 6);
}

function oddWords(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 1, 3, 5, 7);
}

function storeTransposed(x0: v128, x1: v128, x2: v128, x3: v128, out: usize): void {
  const low01 = v128.shuffle<u32>(x0, x1, 0, 4, 1, 5);
  const low23 = v128.shuffle<u32>(x2, x3, 0, 4, 1, 5);
  const high01 = v128.shuffle<u32>(x0, x1, 2, 6, 3, 7);
  const high23 = v128.shuffle<u32>(x2, x3, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<u64>(low01, low23, 0, 2));
  v128.store(out, v128.shuffle<u64>(low01, low23, 1, 3), 16);
  v128.store(out, v128.shuffle<u64>(high01, high23, 0, 2), 32);
  v128.store(out, v128.shuffle<u64>(high01, high23, 1, 3), 48);
}

// The functions below turn whole blocks of words, in place, into elements.

// Float32: low + range · (upper 24 bits / 2^24).
export function uniform(at: usize, blocks: usize, low: f32, range: f32): void {
  const end = at + (blocks << 4);
  for (; at < end; at += 16) {
    const upper = f32x4.convert_i32x4_s(v128.shr<u32>(v128.load(at), 8));
    const unit = f32x4.mul(upper, f32x4.splat(<f32>(1.0 / 16777216.0)));
    v128.store(at, f32x4.add(f32x4.splat(low), f32x4.mul(f32x4.splat(range), unit)));
  }
}

// Bytes 1 (keep) or 0, one for each byte of the words: byte < top, and where they are equal, 24
// more bits < rest. Those bits are of the block counted by the byte's own index.
export function keep(
  at: usize,
  blocks: usize,
  top: u32,
  rest: u32,
  table: usize,
  firstLow: u32,
  firstHigh: u32,
  c2: u32,
  c3: u32,
): void {
  const threshold = i8x16.splat(<u8>top);
  const one = i8x16.splat(1);
  let index = ((<u64>firstHigh) << 32) | firstLow;
  const end = at + (blocks << 4);
  for (; at < end; at += 16, index += 16) {
    const bytes = v128.load(at);
    v128.store(at, v128.min<u8>(i8x16.sub_sat_u(threshold, bytes), one));
    const ties = i8x16.eq(bytes, threshold);
    if (rest != 0 && v128.any_true(ties)) {
      for (let open = i8x16.bitmask(ties); open != 0; open &= open - 1) {
        const lane = ctz(open);
        const word = firstWord(table, index + lane, c2, c3);
        store<u8>(at + lane, <u8>(word >>> 8 < rest));
      }
    }
  }
}

// The first word of one block.
function firstWord(table: usize, block: u64, c2: u32, c3: u32): u32 {
  const m0 = <u64>load<u32>(table + ROUNDS);
  const m1 = <u64>load<u32>(table + ROUNDS, 16);
  let x0 = <u32>block;
  let x1 = <u32>(block >> 32);
  let x2 = c2;
  let x3 = c3;
  for (let round: usize = 0; round < ROUNDS; round += 32) {
    const a = x0 * m0;
    const b = x2 * m1;
    x0 = (<u32>(b >> 32)) ^ x1 ^ load<u32>(table + round);
    x2 = (<u32>(a >> 32)) ^ x3 ^ load<u32>(table + round, 16);
    x1 = <u32>b;
    x3 = <u32>a;
  }
  return x0;
}

// Float32 of the normal distribution by Box and Muller, in float64: words 0 and 2 of a block give the
// radii, 1 and 3 the angles. The polynomials are the reference's, term by term.
export function normal(at: usize, blocks: usize, mean: f64, deviation: f64): void {
  const end = at + (blocks << 4);
  for (; at < end; at += 16) {
    const x = v128.load(at);

    // v = word + 1/2 = m · 2^k with m in [sqrt(1/2), sqrt(2)); u = v / 2^32.
    const v = f64x2.add(
      f64x2.convert_low_i32x4_u(v128.shuffle<u32>(x, x, 0, 2, 0, 2)),
      f64x2.splat(0.5),
    );
    const shifted = i64x2.add(v, i64x2.splat(0x3ff0000000000000 - 0x3fe6a09e667f3bcd));
    const k = v128.shr<u64>(shifted, 52);
    const m = i64x2.sub(v, v128.shl<i64>(i64x2.sub(k, i64x2.splat(1023)), 52));
    // k, as the last bits of 2^52 + k, becomes a float64.
    const exponent = f64x2.sub(
      v128.or(k, i64x2.splat(0x4330000000000000)),
      f64x2.splat(4503599627370496.0 + 1023.0 + 32.0),
    );
    const s = f64x2.div(f64x2.sub(m, f64x2.splat(1)), f64x2.add(m, f64x2.splat(1)));
    const z = f64x2.mul(s, s);
    let p = f64x2.splat(1.0 / 13.0);
    p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 11.0));
    p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 9.0));
    p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 7.0));
    p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 5.0));
    p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 3.0));
    p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1));
    const log = f64x2.add(
      f64x2.mul(exponent, f64x2.splat(0.6931471805599453)),
      f64x2.mul(f64x2.add(s, s), p),
    );
    const radius = f64x2.mul(f64x2.sqrt(f64x2.mul(log, f64x2.splat(-2))), f64x2.splat(deviation));

    // The angle, less the nearest quarter turn, in radians: |a| <= π / 4.
    const quarter = v128.shr<u32>(i32x4.add(x, i32x4.splat(1 << 29)), 30);
    const rest = i32x4.sub(x, v128.shl<i32>(quarter, 30));
    const a = f64x2.mul(
      f64x2.convert_low_i32x4_s(v128.shuffle<u32>(rest, rest, 1, 3, 1, 3)),
      f64x2.splat(6.283185307179586 / 4294967296.0),
    );
    const aa = f64x2.mul(a, a);
    let sine = f64x2.splat(-1.0 / 39916800.0);
    sine = f64x2.add(f64x2.mul(sine, aa), f64x2.splat(1.0 / 362880.0));
    sine = f64x2.add(f64x2.mul(sine, aa), f64x2.splat(-1.0 / 5040.0));
    sine = f64x2.add(f64x2.mul(sine, aa), f64x2.splat(1.0 / 120.0));
    sine = f64x2.add(f64x2.mul(sine, aa), f64x2.splat(-1.0 / 6.0));
    sine = f64x2.add(f64x2.mul(sine, aa), f64x2.splat(1));
    sine = f64x2.mul(sine, a);
    let cosine = f64x2.splat(1.0 / 479001600.0);
    cosine = f64x2.add(f64x2.mul(cosine, aa), f64x2.splat(-1.0 / 3628800.0));
    cosine = f64x2.add(f64x2.mul(cosine, aa), f64x2.splat(1.0 / 40320.0));
    cosine = f64x2.add(f64x2.mul(cosine, aa), f64x2.splat(-1.0 / 720.0));
    cosine = f64x2.add(f64x2.mul(cosine, aa), f64x2.splat(1.0 / 24.0));
    cosine = f64x2.add(f64x2.mul(cosine, aa), f64x2.splat(-0.5));
    cosine = f64x2.add(f64x2.mul(cosine, aa), f64x2.splat(1));

    // An odd number of quarter turns swaps the two; the signs follow the quadrant.
    const turn = v128.shuffle<u32>(quarter, quarter, 1, 1, 3, 3);
    const odd = i32x4.ne(v128.and(turn, i32x4.splat(1)), i32x4.splat(0));
    const sign = i64x2.splat(<i64>0x8000000000000000);
    const firstSign = v128.and(v128.shl<i64>(i32x4.add(turn, i32x4.splat(1)), 62), sign);
    const secondSign = v128.and(v128.shl<i64>(turn, 62), sign);
    const first = v128.xor(v128.bitselect(sine, cosine, odd), firstSign);
    const second = v128.xor(v128.bitselect(cosine, sine, odd), secondSign);
    const center = f64x2.splat(mean);
    const firsts = f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(radius, first), center));
    const seconds = f32x4.demote_f64x2_zero(f64x2.add(f64x2.mul(radius, second), center));
    v128.store(at, v128.shuffle<u32>(firsts, seconds, 0, 4, 1, 5));
  }
}
