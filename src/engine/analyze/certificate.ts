/** @file The certificate that no left vector of W₀ has a cosine of ε or more with y: a covering of the spectrum. */
import { at } from "../../shared/errors.ts";
import { massesAt, valuesAndFirst, type MassesAt, type Recurrence } from "./interval-masses.ts";

/** A vector x, θ = xᵀ G x, that Lanczos was kept away from: `overlap` ⟨s, x⟩ and `residual` ‖G x − θ x‖. */
export interface Deflated {
  readonly theta: number;
  readonly residual: number;
  readonly overlap: number;
}

/** What the certificate stands on: Lanczos from s' = s less its part in the deflated vectors, on the Gram matrix there. */
export interface SpectralView extends Recurrence {
  readonly gram: "left" | "right";
  readonly alpha: readonly number[];
  readonly beta: readonly number[];
  /** ‖s'‖ */
  readonly startNorm: number;
  /** ‖G' Q − Q J − β q eᵀ‖_F and the rounding of the products, as an absolute bound. */
  readonly rho: number;
  /** How far eigenvalues may be moved by that: windows are wider by at least η on each side. */
  readonly eta: number;
  /** Every eigenvalue in question lies in [lambdaMin, lambdaMax]. */
  readonly lambdaMin: number;
  readonly lambdaMax: number;
  readonly deflated: readonly Deflated[];
}

/** `edges` (ascending) part [lambdaMin, lambdaMax] into closed intervals; `bound` is the largest bound of them. */
export type Covering =
  | { readonly kind: "closed"; readonly edges: readonly number[]; readonly bound: number }
  | { readonly kind: "open"; readonly at: number };

/** h(λ): 1 for W₀W₀ᵀ, √λ for W₀ᵀW₀, where ⟨W₀ᵀy, v_i⟩ = σ_i c_i. */
function weightAt(view: SpectralView, lambda: number): number {
  return view.gram === "left" ? 1 : Math.sqrt(lambda);
}

/**
 * The bound on |c_i| of every eigenvector g, of every basis, with an eigenvalue λ in [a, b].
 *
 * Without deflation it is ‖s‖ (√(U(b + η) − L(a − η)) + √2 ρ/η) / h(a). With X of residuals r_l:
 * |x_lᵀ g| ≤ min(1, r_l / |θ_l − λ|) because (θ_l − λ) x_lᵀ g = −(G x_l − θ_l x_l)ᵀ g, so ⟨s, X Xᵀ g⟩ is at
 * most what `near` sums; and G' + X Θ Xᵀ = G + E with E g outside X's span of length at most
 * κ = Σ r_l min(1, r_l / |θ_l − λ|), which joins ρ. η widens with them, interval by interval. No gap
 * between eigenvalues is assumed. Each mass is taken wider by what its own rounding may be.
 */
export function boundOn(
  view: SpectralView,
  a: number,
  b: number,
  masses: (t: number) => MassesAt = (t) => massesAt(view, t),
): number {
  const height = weightAt(view, a);
  if (height === 0) return Infinity;
  let [near2, far, kappa] = [0, 0, 0];
  for (const { theta, residual, overlap } of view.deflated) {
    const distance = theta < a ? a - theta : theta > b ? theta - b : 0;
    const share = distance > residual ? residual / distance : 1;
    kappa += residual * share;
    if (share < 0.02) far += share * Math.abs(overlap);
    else near2 += overlap * overlap;
  }
  const moved = view.rho + kappa;
  const eta = Math.max(view.eta, 200 * moved);
  const slack = 16 * view.alpha.length * 2 ** -53;
  const mass = masses(b + eta).upTo - masses(a - eta).below + slack;
  const root = Math.sqrt(Math.min(1, Math.max(0, mass)));
  const inside = view.startNorm * (root + (Math.SQRT2 * moved) / eta);
  return (inside + Math.sqrt(near2) + far) / height;
}

/** The node of J's own quadrature with the largest weight: no interval around it has a smaller bound, by less than rounding. */
function heaviest(view: SpectralView): { readonly at: number; readonly bound: number } {
  const m = view.alpha.length;
  const nodes = Float64Array.from(view.alpha);
  const first = new Float64Array(m);
  first[0] = 1;
  valuesAndFirst(nodes, Float64Array.from(view.beta), first);
  let found = { at: view.lambdaMin, bound: 0 };
  for (const [i, node] of nodes.entries()) {
    if (node < view.lambdaMin || node > view.lambdaMax) continue;
    const bound = (view.startNorm * Math.abs(at(first, i))) / weightAt(view, node);
    if (bound > found.bound) found = { at: node, bound };
  }
  return found;
}

/** Covers [lambdaMin, lambdaMax] by intervals whose bound is under `epsilon`; open where one of width η is not. */
export function cover(view: SpectralView, epsilon: number, most = 2000): Covering {
  const heavy = heaviest(view);
  if (heavy.bound >= epsilon) return { kind: "open", at: heavy.at };
  const known = new Map<number, MassesAt>();
  const masses = (t: number): MassesAt => {
    const found = known.get(t) ?? massesAt(view, t);
    known.set(t, found);
    return found;
  };
  const edges = [view.lambdaMin];
  let largest = 0;
  // A stack of intervals yet to be closed, the lowest on top.
  const open: (readonly [number, number])[] = [[view.lambdaMin, view.lambdaMax]];
  for (let tried = 0; open.length > 0; tried++) {
    const next = open.pop();
    if (next === undefined) break;
    const [a, b] = next;
    const bound = boundOn(view, a, b, masses);
    if (bound < epsilon) {
      edges.push(b);
      largest = Math.max(largest, bound);
      continue;
    }
    // Far apart ends are parted by ratio: lambdaMax may be ‖W₀‖_F², much above the spectrum.
    const middle = a > 0 && b > 16 * a ? Math.sqrt(a * b) : (a + b) / 2;
    if (b - a < view.eta || tried >= most) return { kind: "open", at: a };
    open.push([middle, b], [a, middle]);
  }
  return { kind: "closed", edges, bound: largest };
}
