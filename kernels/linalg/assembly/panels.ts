/** @file Unblocked factorisations of the narrow panels and small blocks that the blocked ones are made of. */
import { axpy, dot, gemvT, scale } from "./vector";

// A Householder reflector H = I − tau v vᵀ, v_0 = 1, with H x = beta e_0. x becomes v, tau is stored,
// beta returned. tau = (beta − x_0) / beta, v = x / (x_0 − beta); beta has the sign opposite to x_0's.
export function reflector(count: usize, x: usize, tauAt: usize): f64 {
  const x0 = load<f64>(x);
  const rest = count > 1 ? dot(count - 1, x + 8, x + 8) : 0;
  store<f64>(x, 1);
  if (rest == 0) {
    store<f64>(tauAt, 0);
    if (count > 1) memory.fill(x + 8, 0, (count - 1) << 3);
    return x0;
  }
  const beta = -copysign(sqrt(x0 * x0 + rest), x0);
  store<f64>(tauAt, (beta - x0) / beta);
  scale(count - 1, 1 / (x0 - beta), x + 8);
  return beta;
}

// QR of an m × n panel with contiguous rows, m ≥ n: V (ones on, zeros over the diagonal) takes its
// place, R goes to r [n, n], tau to [n]. work: 2 · max(m, n).
export function qrPanel(m: usize, n: usize, p: usize, r: usize, tau: usize, work: usize): void {
  const row = n << 3;
  const w = work + (m << 3);
  for (let j: usize = 0; j < n; j++) {
    const count = m - j;
    const top = p + j * row;
    for (let i: usize = 0; i < count; i++)
      store<f64>(work + (i << 3), load<f64>(top + i * row + (j << 3)));
    const beta = reflector(count, work, tau + (j << 3));
    for (let i: usize = 0; i < count; i++)
      store<f64>(top + i * row + (j << 3), load<f64>(work + (i << 3)));
    // The columns to the right: C −= tau v (vᵀ C).
    const t = load<f64>(tau + (j << 3));
    const columns = n - j - 1;
    const right = top + ((j + 1) << 3);
    if (columns > 0 && t != 0) {
      memory.fill(w, 0, columns << 3);
      gemvT(count, columns, t, right, n, work, w);
      for (let i: usize = 0; i < count; i++)
        axpy(columns, -load<f64>(work + (i << 3)), w, right + i * row);
    }
    for (let i: usize = 0; i < j; i++) {
      store<f64>(r + i * row + (j << 3), load<f64>(p + i * row + (j << 3)));
      store<f64>(p + i * row + (j << 3), 0);
      store<f64>(r + j * row + (i << 3), 0);
    }
    store<f64>(r + j * row + (j << 3), beta);
  }
}

// The T of H_0 … H_{n−1} = I − V T Vᵀ from gram = VᵀV [n, n], in its place: T_jj = tau_j,
// T_{<j, j} = −tau_j T_{<j, <j} (VᵀV)_{<j, j}. Upper triangular, zeros below.
export function triangularFactor(n: usize, gram: usize, tau: usize): void {
  const row = n << 3;
  for (let j: usize = 0; j < n; j++) {
    const t = load<f64>(tau + (j << 3));
    for (let i: usize = 0; i < j; i++) {
      let sum: f64 = 0;
      for (let l = i; l < j; l++)
        sum += load<f64>(gram + i * row + (l << 3)) * load<f64>(gram + l * row + (j << 3));
      store<f64>(gram + i * row + (j << 3), -t * sum);
    }
    store<f64>(gram + j * row + (j << 3), t);
    for (let i = j + 1; i < n; i++) store<f64>(gram + i * row + (j << 3), 0);
  }
}

// LU with partial pivoting of an m × n panel, m ≥ n, rows of `row` elements; pivots: n int32, rows to
// swap with; the first of equal candidates wins. A column of zeros is left as it is.
export function luPanel(m: usize, n: usize, p: usize, stride: usize, pivots: usize): void {
  const row = stride << 3;
  for (let j: usize = 0; j < n; j++) {
    let best = j;
    let top = abs(load<f64>(p + j * row + (j << 3)));
    for (let i = j + 1; i < m; i++) {
      const value = abs(load<f64>(p + i * row + (j << 3)));
      if (value > top) {
        top = value;
        best = i;
      }
    }
    store<u32>(pivots + (j << 2), <u32>best);
    if (top == 0) continue;
    if (best != j)
      for (let l: usize = 0; l < n; l++) {
        const kept = load<f64>(p + j * row + (l << 3));
        store<f64>(p + j * row + (l << 3), load<f64>(p + best * row + (l << 3)));
        store<f64>(p + best * row + (l << 3), kept);
      }
    const pivot = load<f64>(p + j * row + (j << 3));
    for (let i = j + 1; i < m; i++) {
      const at = p + i * row + (j << 3);
      const factor = load<f64>(at) / pivot;
      store<f64>(at, factor);
      axpy(n - j - 1, -factor, p + j * row + ((j + 1) << 3), at + 8);
    }
  }
}

// Cholesky of a symmetric n × n block of which the lower triangle is read, in its place. Returns the
// first index whose pivot is not over 0, or −1. L_ij = (a_ij − Σ_{l<j} L_il L_jl) / L_jj.
export function choleskyBlock(n: usize, a: usize, stride: usize): i32 {
  const row = stride << 3;
  for (let i: usize = 0; i < n; i++) {
    const ai = a + i * row;
    for (let j: usize = 0; j <= i; j++) {
      const aj = a + j * row;
      const rest = load<f64>(ai + (j << 3)) - dot(j, ai, aj);
      if (j < i) store<f64>(ai + (j << 3), rest / load<f64>(aj + (j << 3)));
      else {
        if (!(rest > 0)) return <i32>i;
        store<f64>(ai + (j << 3), sqrt(rest));
      }
    }
  }
  return -1;
}

// Solves T X = B in place for a triangular n × n block T with element strides (so that a transposed
// triangle is the same with the strides swapped) and B of contiguous rows.
export function solveBlock(
  n: usize,
  columns: usize,
  t: usize,
  tRow: usize,
  tColumn: usize,
  upper: bool,
  unit: bool,
  b: usize,
  bRow: usize,
): void {
  const row = bRow << 3;
  for (let step: usize = 0; step < n; step++) {
    const i = upper ? n - 1 - step : step;
    const target = b + i * row;
    for (let other: usize = 0; other < step; other++) {
      const j = upper ? n - 1 - other : other;
      axpy(columns, -load<f64>(t + ((i * tRow + j * tColumn) << 3)), b + j * row, target);
    }
    if (!unit) {
      const pivot = load<f64>(t + ((i * (tRow + tColumn)) << 3));
      for (let l: usize = 0; l < columns; l++)
        store<f64>(target + (l << 3), load<f64>(target + (l << 3)) / pivot);
    }
  }
}
