/** @file The merge step of divide and conquer for singular values (Gu and Eisenstat 1995): roots and vectors. */

// Sums over poles in [first, last): Σ z² / δ, Σ z² / δ² and Σ |z² / δ|, δ_j = (d_j² − d_k²) − eta.
let sum: f64 = 0;
let slope: f64 = 0;

function accumulate(first: usize, last: usize, gaps: usize, z: usize, eta: f64): void {
  let s = f64x2.splat(0);
  let t = s;
  const e = f64x2.splat(eta);
  let j = first;
  for (; j + 2 <= last; j += 2) {
    const zj = v128.load(z + (j << 3));
    const q = f64x2.div(zj, f64x2.sub(v128.load(gaps + (j << 3)), e));
    s = f64x2.add(s, f64x2.mul(zj, q));
    t = f64x2.add(t, f64x2.mul(q, q));
  }
  sum = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
  slope = f64x2.extract_lane(t, 0) + f64x2.extract_lane(t, 1);
  if (j < last) {
    const zj = load<f64>(z + (j << 3));
    const q = zj / (load<f64>(gaps + (j << 3)) - eta);
    sum += zj * q;
    slope += q * q;
  }
}

// Root i of 1 + Σ_j z_j² / (d_j² − ω²) = 0, between d_i and d_{i+1} (after the last: d_i² + ‖z‖²).
// It is sought as eta = ω² − d_k² from the nearer pole k, so that each d_j² − ω², written to row
// [n], has full relative accuracy. d ascends from d_0 = 0. Returns ω.
export function secularRoot(i: usize, n: usize, d: usize, z: usize, row: usize): f64 {
  const eps: f64 = 1.1102230246251565e-16;
  const di = load<f64>(d + (i << 3));
  const last = i + 1 == n;
  let width: f64 = 0;
  if (last) {
    for (let j: usize = 0; j < n; j++) {
      const zj = load<f64>(z + (j << 3));
      width += zj * zj;
    }
    width *= 1 + 8 * eps;
  } else {
    const dn = load<f64>(d + ((i + 1) << 3));
    width = (dn - di) * (dn + di);
  }
  shiftGaps(i, n, d, row);
  let lo: f64 = 0;
  let hi = width;
  let k = i;
  if (!last) {
    accumulate(0, n, row, z, 0.5 * width);
    if (1 + sum < 0) {
      k = i + 1;
      shiftGaps(k, n, d, row);
      lo = -0.5 * width;
      hi = 0;
    } else hi = 0.5 * width;
  }
  // Between poles p and p + 1, ψ (poles to p) and φ (the others) are each modelled by their one
  // nearest pole, with the slopes at hand: c + a / (δ_p − x) + b / (δ_{p+1} − x) = 0.
  const p: usize = last ? (n > 1 ? n - 2 : 0) : i;
  let eta = 0.5 * (lo + hi);
  for (let round = 0; round < 200; round++) {
    accumulate(0, p + 1, row, z, eta);
    const psi = sum;
    const psiSlope = slope;
    accumulate(p + 1, n, row, z, eta);
    const f = 1 + psi + sum;
    if (abs(f) <= 2 * eps * (1 + abs(psi) + abs(sum))) break;
    if (f < 0) lo = eta;
    else hi = eta;
    if (hi - lo <= 2 * eps * max(abs(lo), abs(hi))) break;
    let next = NaN;
    const dp = load<f64>(row + (p << 3)) - eta;
    if (p + 1 < n) {
      const dq = load<f64>(row + ((p + 1) << 3)) - eta;
      const a = psiSlope * dp * dp;
      const b = slope * dq * dq;
      const c = f - dp * psiSlope - dq * slope;
      // c x² − (c (δ_p + δ_q) + a + b) x + δ_p δ_q f = 0: the root that f and the poles bracket.
      const half = 0.5 * (c * (dp + dq) + a + b);
      const free = dp * dq * f;
      const root = sqrt(max(0, half * half - c * free));
      const larger = half + copysign(root, half);
      const x = free / larger;
      next = eta + x;
      if (!(next > lo && next < hi)) next = eta + larger / c;
    } else next = load<f64>(row + (p << 3)) + psiSlope * dp * dp;
    // What leaves the bracket, and every eighth step, halves it: in ratio where both ends have a size.
    if (!(next > lo && next < hi) || round % 8 == 7) {
      next = 0.5 * (lo + hi);
      if (lo > 0 && hi > 4 * lo) next = sqrt(lo) * sqrt(hi);
      else if (hi < 0 && lo < 4 * hi) next = -sqrt(-lo) * sqrt(-hi);
      else if (lo == 0) next = 0.0625 * hi;
      else if (hi == 0) next = 0.0625 * lo;
    }
    if (next == eta) break;
    eta = next;
  }
  for (let j: usize = 0; j < n; j++) store<f64>(row + (j << 3), load<f64>(row + (j << 3)) - eta);
  const dk = load<f64>(d + (k << 3));
  return dk + eta / (dk + sqrt(max(0, dk * dk + eta)));
}

// row_j = d_j² − d_k², as a product so that it is accurate.
function shiftGaps(k: usize, n: usize, d: usize, row: usize): void {
  const dk = load<f64>(d + (k << 3));
  for (let j: usize = 0; j < n; j++) {
    const dj = load<f64>(d + (j << 3));
    store<f64>(row + (j << 3), (dj - dk) * (dj + dk));
  }
}

// The z whose secular equation has exactly the computed roots, so that vectors are orthogonal:
// z_j² = (ω_{n−1}² − d_j²) Π_{i<j} (ω_i² − d_j²)/(d_i² − d_j²) Π_{j≤i<n−1} (ω_i² − d_j²)/(d_{i+1}² − d_j²).
// gaps [n, n]: row i holds d_j² − ω_i². z is replaced, signs stay.
export function lowner(n: usize, d: usize, gaps: usize, stride: usize, z: usize): void {
  const row = stride << 3;
  for (let j: usize = 0; j < n; j++) {
    const dj = load<f64>(d + (j << 3));
    let product = -load<f64>(gaps + (n - 1) * row + (j << 3));
    for (let i: usize = 0; i + 1 < n; i++) {
      const other = load<f64>(d + ((i < j ? i : i + 1) << 3));
      product *= -load<f64>(gaps + i * row + (j << 3)) / ((other - dj) * (other + dj));
    }
    const at = z + (j << 3);
    store<f64>(at, copysign(sqrt(abs(product)), load<f64>(at)));
  }
}

// Unit vectors of the arrow matrix: v_ij = z_j / (d_j² − ω_i²), u_ij = d_j v_ij with u_i0 = −1; entry
// j goes to column place[j] of row i. The gaps are overwritten by V; U is written where u ≠ 0.
export function arrowVectors(
  n: usize,
  d: usize,
  gaps: usize,
  stride: usize,
  z: usize,
  place: usize,
  v: usize,
  u: usize,
): void {
  for (let i: usize = 0; i < n; i++) {
    const gap = gaps + ((i * stride) << 3);
    let vNorm: f64 = 0;
    let uNorm: f64 = 1;
    for (let j: usize = 0; j < n; j++) {
      const x = load<f64>(z + (j << 3)) / load<f64>(gap + (j << 3));
      store<f64>(gap + (j << 3), x);
      vNorm += x * x;
      const y = load<f64>(d + (j << 3)) * x;
      if (j > 0) uNorm += y * y;
    }
    vNorm = 1 / sqrt(vNorm);
    uNorm = 1 / sqrt(uNorm);
    for (let j: usize = 0; j < n; j++) {
      const x = load<f64>(gap + (j << 3));
      const to = (i * stride + load<u32>(place + (j << 2))) << 3;
      store<f64>(v + to, x * vNorm);
      if (u != 0) store<f64>(u + to, j == 0 ? -uNorm : load<f64>(d + (j << 3)) * x * uNorm);
    }
  }
}
