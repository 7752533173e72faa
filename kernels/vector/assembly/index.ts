/** @file Elementwise work on float32 vectors over raw memory; counts are multiples of 8. */

// Adds the squares to 8 float64 sums, lane i taking the elements i, i + 8, …
export function addSquares(values: usize, count: usize, sums: usize): void {
  let a = v128.load(sums);
  let b = v128.load(sums, 16);
  let c = v128.load(sums, 32);
  let d = v128.load(sums, 48);
  const end = values + (count << 2);
  for (; values < end; values += 32) {
    const x = v128.load(values);
    const y = v128.load(values, 16);
    const x0 = f64x2.promote_low_f32x4(x);
    const x1 = f64x2.promote_low_f32x4(v128.shuffle<u64>(x, x, 1, 1));
    const y0 = f64x2.promote_low_f32x4(y);
    const y1 = f64x2.promote_low_f32x4(v128.shuffle<u64>(y, y, 1, 1));
    a = f64x2.add(a, f64x2.mul(x0, x0));
    b = f64x2.add(b, f64x2.mul(x1, x1));
    c = f64x2.add(c, f64x2.mul(y0, y0));
    d = f64x2.add(d, f64x2.mul(y1, y1));
  }
  v128.store(sums, a);
  v128.store(sums, b, 16);
  v128.store(sums, c, 32);
  v128.store(sums, d, 48);
}

export function scale(values: usize, count: usize, factor: f32): void {
  const end = values + (count << 2);
  for (; values < end; values += 16)
    v128.store(values, f32x4.mul(v128.load(values), f32x4.splat(factor)));
}

// into += factor · values, product and sum rounded to float32.
export function addScaled(values: usize, into: usize, count: usize, factor: f32): void {
  const end = values + (count << 2);
  for (; values < end; values += 16, into += 16) {
    const product = f32x4.mul(v128.load(values), f32x4.splat(factor));
    v128.store(into, f32x4.add(v128.load(into), product));
  }
}
