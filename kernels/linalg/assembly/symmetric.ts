/** @file Symmetric indefinite factorisation for its inertia, and the assignment problem. */
import { axpy, swap } from "./vector";

function magnitude(a: usize, row: usize, i: usize, j: usize): f64 {
  return abs(load<f64>(a + i * row + (j << 3)));
}

// L D Lᵀ with the pivoting of Bunch and Kaufman (1977), of which only the signs in D are kept. The
// lower triangle of A [n, n] is read and destroyed. out: number of positive, negative and zero
// eigenvalues of D, and the smallest magnitude of one. work: 2 n.
export function factorSymmetric(n: usize, a: usize, stride: usize, work: usize, out: usize): void {
  const row = stride << 3;
  const alpha = (1 + sqrt<f64>(17)) / 8;
  let positive = 0;
  let negative = 0;
  let zero = 0;
  let smallest = Infinity;
  let k: usize = 0;
  while (k < n) {
    const diagonal = magnitude(a, row, k, k);
    let top: f64 = 0;
    let best = k;
    for (let i = k + 1; i < n; i++) {
      const value = magnitude(a, row, i, k);
      if (value > top) {
        top = value;
        best = i;
      }
    }
    if (max(diagonal, top) == 0) {
      zero++;
      smallest = 0;
      k++;
      continue;
    }
    let size: usize = 1;
    let pivot = k;
    if (diagonal < alpha * top) {
      let other: f64 = 0;
      for (let j = k; j < best; j++) other = max(other, magnitude(a, row, best, j));
      for (let i = best + 1; i < n; i++) other = max(other, magnitude(a, row, i, best));
      if (diagonal * other < alpha * top * top) {
        pivot = best;
        if (magnitude(a, row, best, best) < alpha * other) size = 2;
      }
    }
    const target = k + size - 1;
    if (pivot != target) exchange(n, a, row, target, pivot, k);
    const next = k + size;
    const x = work;
    const y = work + (n << 3);
    if (size == 1) {
      const d = load<f64>(a + k * row + (k << 3));
      if (d > 0) positive++;
      else negative++;
      smallest = min(smallest, abs(d));
      for (let i = next; i < n; i++) store<f64>(x + (i << 3), load<f64>(a + i * row + (k << 3)));
      for (let i = next; i < n; i++)
        axpy(
          i + 1 - next,
          -load<f64>(x + (i << 3)) / d,
          x + (next << 3),
          a + i * row + (next << 3),
        );
    } else {
      // [p q; q r] has one eigenvalue of each sign. W = C D⁻¹; A −= W Cᵀ.
      const p = load<f64>(a + k * row + (k << 3));
      const q = load<f64>(a + (k + 1) * row + (k << 3));
      const r = load<f64>(a + (k + 1) * row + ((k + 1) << 3));
      positive++;
      negative++;
      // Scaled by q, which is the largest of the three.
      const ps = p / q;
      const rs = r / q;
      const determinant = ps * rs - 1;
      const half = 0.5 * (ps + rs);
      const root = abs(half) + sqrt(half * half - determinant);
      smallest = min(smallest, abs((determinant / root) * q));
      for (let i = next; i < n; i++) {
        store<f64>(x + (i << 3), load<f64>(a + i * row + (k << 3)));
        store<f64>(y + (i << 3), load<f64>(a + i * row + ((k + 1) << 3)));
      }
      for (let i = next; i < n; i++) {
        const xi = load<f64>(x + (i << 3));
        const yi = load<f64>(y + (i << 3));
        const wx = (rs * xi - yi) / determinant / q;
        const wy = (ps * yi - xi) / determinant / q;
        axpy(i + 1 - next, -wx, x + (next << 3), a + i * row + (next << 3));
        axpy(i + 1 - next, -wy, y + (next << 3), a + i * row + (next << 3));
      }
    }
    k = next;
  }
  store<f64>(out, positive);
  store<f64>(out, negative, 8);
  store<f64>(out, zero, 16);
  store<f64>(out, smallest, 24);
}

// Rows and columns i < j of the lower triangle change places, from column `from` on.
function exchange(n: usize, a: usize, row: usize, i: usize, j: usize, from: usize): void {
  swap(i - from, a + i * row + (from << 3), a + j * row + (from << 3));
  for (let l = i + 1; l < j; l++) swap(1, a + l * row + (i << 3), a + j * row + (l << 3));
  for (let l = j + 1; l < n; l++) swap(1, a + l * row + (i << 3), a + l * row + (j << 3));
  swap(1, a + i * row + (i << 3), a + j * row + (j << 3));
}

// The assignment of each of n rows to a column of its own, of m ≥ n, with the least sum of costs:
// shortest augmenting paths with potentials (Jonker and Volgenant 1987). Of equal choices the first
// column wins. out: n int32. work: 3 n + 4 (m + 1) + n elements of 8 bytes.
export function assign(n: usize, m: usize, cost: usize, out: usize, work: usize): void {
  const u = work;
  const v = u + ((n + 1) << 3);
  const slack = v + ((m + 1) << 3);
  const rowOf = slack + ((m + 1) << 3);
  const before = rowOf + ((m + 1) << 2);
  const used = before + ((m + 1) << 2);
  memory.fill(work, 0, used + m + 1 - work);
  // Column m stands for "no column yet"; rows count from 1, 0 is none.
  for (let i: usize = 1; i <= n; i++) {
    store<u32>(rowOf + (m << 2), <u32>i);
    let column = m;
    for (let j: usize = 0; j <= m; j++) {
      store<f64>(slack + (j << 3), Infinity);
      store<u8>(used + j, 0);
    }
    do {
      store<u8>(used + column, 1);
      const row = <usize>load<u32>(rowOf + (column << 2));
      const costs = cost + (((row - 1) * m) << 3);
      const ui = load<f64>(u + (row << 3));
      let least = Infinity;
      let next = m;
      for (let j: usize = 0; j < m; j++) {
        if (load<u8>(used + j)) continue;
        const reduced = load<f64>(costs + (j << 3)) - ui - load<f64>(v + (j << 3));
        if (reduced < load<f64>(slack + (j << 3))) {
          store<f64>(slack + (j << 3), reduced);
          store<u32>(before + (j << 2), <u32>column);
        }
        const known = load<f64>(slack + (j << 3));
        if (known < least) {
          least = known;
          next = j;
        }
      }
      for (let j: usize = 0; j <= m; j++)
        if (load<u8>(used + j)) {
          const owner = u + (load<u32>(rowOf + (j << 2)) << 3);
          store<f64>(owner, load<f64>(owner) + least);
          store<f64>(v + (j << 3), load<f64>(v + (j << 3)) - least);
        } else store<f64>(slack + (j << 3), load<f64>(slack + (j << 3)) - least);
      column = next;
    } while (load<u32>(rowOf + (column << 2)) != 0);
    while (column != m) {
      const previous = <usize>load<u32>(before + (column << 2));
      store<u32>(rowOf + (column << 2), load<u32>(rowOf + (previous << 2)));
      column = previous;
    }
  }
  for (let j: usize = 0; j < m; j++) {
    const row = load<u32>(rowOf + (j << 2));
    if (row != 0) store<u32>(out + ((<usize>row - 1) << 2), <u32>j);
  }
}
