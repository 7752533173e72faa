/** @file Vectors and matrix-vector products in float64 over raw memory; strides count elements, vectors are contiguous. */

// The index of the first element that is NaN or infinite, or -1.
export function firstNotFinite(x: usize, count: usize): i32 {
  // Zero times what is not finite is NaN, and so is every sum with it.
  let a = f64x2.splat(0);
  let b = a;
  const zero = a;
  const end = x + (count << 3);
  let at = x;
  for (; at + 32 <= end; at += 32) {
    a = f64x2.add(a, f64x2.mul(zero, v128.load(at)));
    b = f64x2.add(b, f64x2.mul(zero, v128.load(at, 16)));
  }
  a = f64x2.add(a, b);
  let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (; at < end; at += 8) sum += 0 * load<f64>(at);
  if (sum == 0) return -1;
  for (let i: usize = 0; i < count; i++) if (!isFinite(load<f64>(x + (i << 3)))) return <i32>i;
  return -1;
}

export function largest(x: usize, count: usize): f64 {
  let top: f64 = 0;
  for (let i: usize = 0; i < count; i++) top = max(top, abs(load<f64>(x + (i << 3))));
  return top;
}

// Four sums, of every fourth pair, added two by two.
export function dot(count: usize, x: usize, y: usize): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  const end = x + (count << 3);
  for (; x + 64 <= end; x += 64, y += 64) {
    a = f64x2.add(a, f64x2.mul(v128.load(x), v128.load(y)));
    b = f64x2.add(b, f64x2.mul(v128.load(x, 16), v128.load(y, 16)));
    c = f64x2.add(c, f64x2.mul(v128.load(x, 32), v128.load(y, 32)));
    d = f64x2.add(d, f64x2.mul(v128.load(x, 48), v128.load(y, 48)));
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
  for (; x < end; x += 8, y += 8) sum += load<f64>(x) * load<f64>(y);
  return sum;
}

// y += alpha x
export function axpy(count: usize, alpha: f64, x: usize, y: usize): void {
  const s = f64x2.splat(alpha);
  const end = x + (count << 3);
  for (; x + 16 <= end; x += 16, y += 16)
    v128.store(y, f64x2.add(v128.load(y), f64x2.mul(s, v128.load(x))));
  if (x < end) store<f64>(y, load<f64>(y) + alpha * load<f64>(x));
}

export function scale(count: usize, alpha: f64, x: usize): void {
  const end = x + (count << 3);
  for (; x < end; x += 8) store<f64>(x, alpha * load<f64>(x));
}

// y += alpha A x
export function gemv(
  m: usize,
  n: usize,
  alpha: f64,
  a: usize,
  row: usize,
  x: usize,
  y: usize,
): void {
  for (let i: usize = 0; i < m; i++, a += row << 3, y += 8)
    store<f64>(y, load<f64>(y) + alpha * dot(n, a, x));
}

// y += alpha Aᵀ x, four rows at a time so that y is read less often.
export function gemvT(
  m: usize,
  n: usize,
  alpha: f64,
  a: usize,
  row: usize,
  x: usize,
  y: usize,
): void {
  const bytes = row << 3;
  let i: usize = 0;
  for (; i + 4 <= m; i += 4, a += bytes << 2, x += 32) {
    const x0 = f64x2.splat(alpha * load<f64>(x));
    const x1 = f64x2.splat(alpha * load<f64>(x, 8));
    const x2 = f64x2.splat(alpha * load<f64>(x, 16));
    const x3 = f64x2.splat(alpha * load<f64>(x, 24));
    let p = a;
    let q = y;
    const end = y + (n << 3);
    for (; q + 16 <= end; q += 16, p += 16) {
      const lower = f64x2.add(f64x2.mul(x0, v128.load(p)), f64x2.mul(x1, v128.load(p + bytes)));
      const upper = f64x2.add(
        f64x2.mul(x2, v128.load(p + 2 * bytes)),
        f64x2.mul(x3, v128.load(p + 3 * bytes)),
      );
      v128.store(q, f64x2.add(v128.load(q), f64x2.add(lower, upper)));
    }
    if (q < end) {
      let sum = load<f64>(q);
      for (let r: usize = 0; r < 4; r++)
        sum += alpha * load<f64>(x + (r << 3)) * load<f64>(p + r * bytes);
      store<f64>(q, sum);
    }
  }
  for (; i < m; i++, a += bytes, x += 8) axpy(n, alpha * load<f64>(x), a, y);
}

// y += alpha S x for a symmetric S of which the lower triangle is read, each row once.
export function symv(n: usize, alpha: f64, s: usize, row: usize, x: usize, y: usize): void {
  for (let i: usize = 0; i < n; i++, s += row << 3) {
    const xi = f64x2.splat(alpha * load<f64>(x + (i << 3)));
    let a = f64x2.splat(0);
    let b = a;
    let j: usize = 0;
    for (; j + 4 <= i; j += 4) {
      const at = j << 3;
      const s0 = v128.load(s + at);
      const s1 = v128.load(s + at, 16);
      a = f64x2.add(a, f64x2.mul(s0, v128.load(x + at)));
      b = f64x2.add(b, f64x2.mul(s1, v128.load(x + at, 16)));
      v128.store(y + at, f64x2.add(v128.load(y + at), f64x2.mul(xi, s0)));
      v128.store(y + at, f64x2.add(v128.load(y + at, 16), f64x2.mul(xi, s1)), 16);
    }
    a = f64x2.add(a, b);
    let sum = f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
    const scaled = alpha * load<f64>(x + (i << 3));
    for (; j < i; j++) {
      const at = j << 3;
      sum += load<f64>(s + at) * load<f64>(x + at);
      store<f64>(y + at, load<f64>(y + at) + scaled * load<f64>(s + at));
    }
    sum += load<f64>(s + (i << 3)) * load<f64>(x + (i << 3));
    store<f64>(y + (i << 3), load<f64>(y + (i << 3)) + alpha * sum);
  }
}

// count elements, `fromStep` and `toStep` apart.
export function copy(count: usize, from: usize, fromStep: usize, to: usize, toStep: usize): void {
  for (; count > 0; count--, from += fromStep << 3, to += toStep << 3)
    store<f64>(to, load<f64>(from));
}

// B = Aᵀ for an m × n matrix A, in blocks of 16 × 16 that stay in the cache.
export function transpose(m: usize, n: usize, a: usize, aRow: usize, b: usize, bRow: usize): void {
  for (let i0: usize = 0; i0 < m; i0 += 16)
    for (let j0: usize = 0; j0 < n; j0 += 16) {
      const i1 = min(m, i0 + 16);
      const j1 = min(n, j0 + 16);
      for (let i = i0; i < i1; i++)
        for (let j = j0; j < j1; j++)
          store<f64>(b + ((j * bRow + i) << 3), load<f64>(a + ((i * aRow + j) << 3)));
    }
}

// A sequence of rows of `n` elements to another place.
export function copyRows(m: usize, n: usize, a: usize, aRow: usize, b: usize, bRow: usize): void {
  for (; m > 0; m--, a += aRow << 3, b += bRow << 3) memory.copy(b, a, n << 3);
}

export function swap(count: usize, x: usize, y: usize): void {
  for (; count > 0; count--, x += 8, y += 8) {
    const kept = load<f64>(x);
    store<f64>(x, load<f64>(y));
    store<f64>(y, kept);
  }
}

// (x, y) ← (c x + s y, c y − s x)
export function rotate(count: usize, x: usize, y: usize, c: f64, s: f64): void {
  const cc = f64x2.splat(c);
  const ss = f64x2.splat(s);
  const end = x + (count << 3);
  for (; x + 16 <= end; x += 16, y += 16) {
    const p = v128.load(x);
    const q = v128.load(y);
    v128.store(x, f64x2.add(f64x2.mul(cc, p), f64x2.mul(ss, q)));
    v128.store(y, f64x2.sub(f64x2.mul(cc, q), f64x2.mul(ss, p)));
  }
  if (x < end) {
    const p = load<f64>(x);
    const q = load<f64>(y);
    store<f64>(x, c * p + s * q);
    store<f64>(y, c * q - s * p);
  }
}
