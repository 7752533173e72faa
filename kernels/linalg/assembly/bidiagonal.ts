/** @file The singular values of an upper bidiagonal matrix, with vectors on request: implicit QR (Golub and Reinsch 1970). */
import { rotate } from "./vector";

// (c, s, r) of the rotation that takes (f, g) to (r, 0).
let c: f64 = 1;
let s: f64 = 0;
let r: f64 = 0;

function givens(f: f64, g: f64): void {
  if (g == 0) {
    c = 1;
    s = 0;
    r = f;
  } else if (f == 0) {
    c = 0;
    s = 1;
    r = g;
  } else {
    // Squares of the tiniest entries would lose digits, and the rotation its orthogonality.
    const top = max(abs(f), abs(g));
    if (top < 1e-140) {
      const p = f / top;
      const q = g / top;
      r = top * sqrt(p * p + q * q);
    } else r = sqrt(f * f + g * g);
    c = f / r;
    s = g / r;
  }
}

function at(x: usize, i: isize): f64 {
  return load<f64>(x + ((<usize>i) << 3));
}

function set(x: usize, i: isize, value: f64): void {
  store<f64>(x + ((<usize>i) << 3), value);
}

// d [n], e [n − 1, and one more where `extra`: a column n in the last row alone]. Rows of `left`
// (uCount elements each, none where 0) and of `right` (vCount) turn along, so that left = Uᵀ and
// right = Vᵀ if they start as the identity. d becomes the singular values, in no order, ≥ 0.
// Returns 0, or 1 where the iteration does not end (not seen in 3 · 10⁵ draws of clustered values).
export function bidiagonalQr(
  count: usize,
  extra: bool,
  d: usize,
  e: usize,
  left: usize,
  uCount: usize,
  uRow: usize,
  right: usize,
  vCount: usize,
  vRow: usize,
): i32 {
  const n = <isize>count;
  const uBytes = uRow << 3;
  const vBytes = vRow << 3;
  if (extra && n > 0) {
    // The last column is turned into the others from below; what is left is square.
    let fill = at(e, n - 1);
    set(e, n - 1, 0);
    const outer = right + <usize>n * vBytes;
    for (let i = n - 1; i >= 0 && fill != 0; i--) {
      givens(at(d, i), fill);
      set(d, i, r);
      if (vCount > 0) rotate(vCount, right + <usize>i * vBytes, outer, c, s);
      if (i > 0) {
        fill = -s * at(e, i - 1);
        set(e, i - 1, c * at(e, i - 1));
      }
    }
  }
  let norm: f64 = 0;
  for (let i: isize = 0; i < n; i++) {
    norm = max(norm, abs(at(d, i)));
    if (i < n - 1) norm = max(norm, abs(at(e, i)));
  }
  const eps: f64 = 1.1102230246251565e-16;
  const tiny = eps * norm;
  // Between equal values rotations leave elements of one or two units of their last place, which never get smaller.
  const small = 4 * eps;
  let budget = 60 * (n + 10);
  let hi = n - 1;
  while (hi > 0) {
    if (budget-- == 0) return 1;
    let lo = hi;
    let split = false;
    for (; lo > 0; lo--) {
      const value = abs(at(e, lo - 1));
      if (value <= small * (abs(at(d, lo)) + abs(at(d, lo - 1))) || value <= tiny * 1e-3) {
        set(e, lo - 1, 0);
        break;
      }
      if (abs(at(d, lo - 1)) <= tiny) {
        split = true;
        break;
      }
    }
    if (lo == hi && !split) {
      hi--;
      continue;
    }
    if (split) {
      // d_{lo−1} = 0: rotations of row lo − 1 with those below it empty that row.
      set(d, lo - 1, 0);
      let fill = at(e, lo - 1);
      set(e, lo - 1, 0);
      for (let i = lo; i <= hi && fill != 0; i++) {
        givens(at(d, i), fill);
        set(d, i, r);
        if (uCount > 0)
          rotate(uCount, left + <usize>i * uBytes, left + <usize>(lo - 1) * uBytes, c, s);
        if (i < hi) {
          fill = -s * at(e, i);
          set(e, i, c * at(e, i));
        }
      }
      continue;
    }
    if (abs(at(d, hi)) <= tiny) {
      // d_hi = 0: rotations of column hi with those before it empty that column.
      set(d, hi, 0);
      let fill = at(e, hi - 1);
      set(e, hi - 1, 0);
      for (let i = hi - 1; i >= lo && fill != 0; i--) {
        givens(at(d, i), fill);
        set(d, i, r);
        if (vCount > 0) rotate(vCount, right + <usize>i * vBytes, right + <usize>hi * vBytes, c, s);
        if (i > lo) {
          fill = -s * at(e, i - 1);
          set(e, i - 1, c * at(e, i - 1));
        }
      }
      continue;
    }
    // One implicit QR step with the shift of Wilkinson from the last 2 × 2 block of BᵀB:
    // mu = t22 − t12² / (q + sign(q) sqrt(q² + t12²)), q = (t11 − t22) / 2.
    const dm = at(d, hi - 1);
    const em = at(e, hi - 1);
    const dn = at(d, hi);
    const before = hi - 1 > lo ? at(e, hi - 2) : 0;
    const t12 = dm * em;
    const half = 0.5 * ((dm - dn) * (dm + dn) + (before - em) * (before + em));
    const root = sqrt(half * half + t12 * t12);
    const mu =
      root == 0 ? dn * dn : dn * dn + em * em - t12 * (t12 / (half + copysign(root, half)));
    const first = at(d, lo);
    let f = first - mu / first;
    let g = at(e, lo);
    for (let i = lo; i < hi; i++) {
      givens(f, g);
      if (i > lo) set(e, i - 1, r);
      f = c * at(d, i) + s * at(e, i);
      set(e, i, c * at(e, i) - s * at(d, i));
      g = s * at(d, i + 1);
      set(d, i + 1, c * at(d, i + 1));
      if (vCount > 0)
        rotate(vCount, right + <usize>i * vBytes, right + <usize>(i + 1) * vBytes, c, s);
      givens(f, g);
      set(d, i, r);
      f = c * at(e, i) + s * at(d, i + 1);
      set(d, i + 1, c * at(d, i + 1) - s * at(e, i));
      if (i < hi - 1) {
        g = s * at(e, i + 1);
        set(e, i + 1, c * at(e, i + 1));
      }
      if (uCount > 0)
        rotate(uCount, left + <usize>i * uBytes, left + <usize>(i + 1) * uBytes, c, s);
    }
    set(e, hi - 1, f);
  }
  for (let i: isize = 0; i < n; i++)
    if (at(d, i) < 0) {
      set(d, i, -at(d, i));
      for (let j: usize = 0; j < vCount; j++) {
        const cell = right + <usize>i * vBytes + (j << 3);
        store<f64>(cell, -load<f64>(cell));
      }
    }
  return 0;
}
