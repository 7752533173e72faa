/** @file Masses that a spectral measure may have on an interval, from the three-term recurrence of its first moments. */

/** α [m] and β [m] of m Lanczos steps; the last β couples to the vector after the last. */
export interface Recurrence {
  readonly alpha: ArrayLike<number>;
  readonly beta: ArrayLike<number>;
}

/** Masses at and below a number t: of the measure in (−∞, t) at least and at most, in (−∞, t] at least and at most. */
export interface MassesAt {
  /** Σ of the weights below t of the quadrature that has t as a node, less what rounding may add to it. */
  readonly below: number;
  /** The same and the weight at t, with what rounding may take from it. */
  readonly upTo: number;
}

/**
 * Chebyshev, Markov and Stieltjes: J_m is extended by the row (β_m, t + δ), (J_m − t I) δ = β_m² e_m, so
 * that t is an eigenvalue; with its nodes θ_k and weights w_k, L(t) = Σ_{θ_k < t} w_k and
 * U(t) = Σ_{θ_k ≤ t} w_k, and every measure with these moments has
 * μ(−∞, t) ≥ L(t), μ(−∞, t] ≤ U(t), so μ[a, b] ≤ U(b) − L(a).
 *
 * Eigenvalues are exact of a matrix within `error` = 16 (m + 1) 2⁻⁵³ of the extended one, which is another for each t:
 * sums of weights on one side of a cut move by at most 2 √(S (1 − S)) θ + θ² with θ = error / (gap − error) (Davis
 * and Kahan), where gap is the distance between the nodes on both sides of it. Nodes too near to be parted go along.
 */
export function massesAt({ alpha, beta }: Recurrence, t: number): MassesAt {
  const m = alpha.length;
  const d = new Float64Array(m + 1);
  const e = new Float64Array(m + 1);
  let size = Math.abs(t);
  for (let i = 0; i < m; i++) {
    d[i] = alpha[i] ?? NaN;
    e[i] = beta[i] ?? NaN;
    size = Math.max(size, Math.abs(alpha[i] ?? NaN) + 2 * Math.abs(beta[i] ?? NaN));
  }
  let pivot = (alpha[0] ?? NaN) - t;
  const smallest = 2 ** -52 * size || Number.MIN_VALUE;
  const away = (x: number) => (Math.abs(x) < smallest ? (x < 0 ? -smallest : smallest) : x);
  pivot = away(pivot);
  for (let i = 1; i < m; i++)
    pivot = away((alpha[i] ?? NaN) - t - (beta[i - 1] ?? NaN) ** 2 / pivot);
  d[m] = t + (beta[m - 1] ?? NaN) ** 2 / pivot;
  const first = new Float64Array(m + 1);
  first[0] = 1;
  valuesAndFirst(d, e, first);
  let node = 0;
  for (let i = 1; i <= m; i++)
    if (Math.abs((d[i] ?? NaN) - t) < Math.abs((d[node] ?? NaN) - t)) node = i;
  const at = d[node] ?? NaN;
  let below = 0;
  let upTo = 0;
  for (let i = 0; i <= m; i++) {
    const weight = (first[i] ?? NaN) ** 2;
    size = Math.max(size, Math.abs(d[i] ?? NaN));
    if ((d[i] ?? NaN) < at && i !== node) below += weight;
    if ((d[i] ?? NaN) <= at || i === node) upTo += weight;
  }
  const error = 16 * (m + 1) * 2 ** -53 * size;
  return {
    below: cutAt(d, first, at, below, error, -1),
    upTo: cutAt(d, first, at, upTo, error, 1),
  };
}

/** The sum of the weights below a node (`side` −1) or up to it (1), moved the safe way by what rounding may have done. */
function cutAt(
  d: Float64Array,
  first: Float64Array,
  node: number,
  whole: number,
  error: number,
  side: -1 | 1,
): number {
  let [edge, sum] = [node, whole];
  for (;;) {
    let [next, weight] = [side * Infinity, 0];
    for (let i = 0; i < d.length; i++) {
      const value = d[i] ?? NaN;
      if (side * (value - edge) <= 0 || side * (value - next) > 0) continue;
      weight = (first[i] ?? NaN) ** 2 + (value === next ? weight : 0);
      next = value;
    }
    const gap = Math.abs(next - edge);
    if (gap > 16 * error) {
      const theta = error / (gap - error);
      const inside = Math.max(0, Math.min(1, sum));
      return sum + side * theta * (2 * Math.sqrt(inside * (1 - inside)) + theta);
    }
    [edge, sum] = [next, sum + side * weight];
  }
}

/**
 * Eigenvalues (into `d`) and first components of the eigenvectors (into `z`, e₁ on entry) of a
 * symmetric tridiagonal matrix: implicit QL (Golub and Welsch 1969), O(n²).
 */
export function valuesAndFirst(d: Float64Array, e: Float64Array, z: Float64Array): void {
  const n = d.length;
  e[n - 1] = 0;
  for (let l = 0; l < n; l++) {
    for (let round = 0; ; round++) {
      let m = l;
      for (; m < n - 1; m++) {
        const near = Math.abs(d[m] ?? NaN) + Math.abs(d[m + 1] ?? NaN);
        if (Math.abs(e[m] ?? NaN) <= 2 ** -53 * near) break;
      }
      if (m === l || round === 100) break;
      const dl = d[l] ?? NaN;
      const el = e[l] ?? NaN;
      let g = ((d[l + 1] ?? NaN) - dl) / (2 * el);
      let r = Math.sqrt(g * g + 1);
      g = (d[m] ?? NaN) - dl + el / (g + (g < 0 ? -r : r));
      let s = 1;
      let c = 1;
      let p = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * (e[i] ?? NaN);
        const b = c * (e[i] ?? NaN);
        r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] = (d[i + 1] ?? NaN) - p;
          e[m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = (d[i + 1] ?? NaN) - p;
        r = ((d[i] ?? NaN) - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        const z1 = z[i + 1] ?? NaN;
        const z0 = z[i] ?? NaN;
        z[i + 1] = s * z0 + c * z1;
        z[i] = c * z0 - s * z1;
      }
      if (r === 0 && i >= l) continue;
      d[l] = (d[l] ?? NaN) - p;
      e[l] = g;
      e[m] = 0;
    }
  }
}
