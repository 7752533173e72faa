/** @file Lanczos from several vectors at once: each its own recurrence, the products made together. */
import type { Operator } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";

/** One recurrence so far; G Q = Q J + β q eᵀ up to rho. */
export interface LanczosView {
  readonly alpha: readonly number[];
  readonly beta: readonly number[];
  /** ‖G Q − Q J − β_m q_{m+1} e_mᵀ‖_F, measured. */
  readonly rho: number;
  /** The space is full (β_m = 0 but for rounding): nothing more is to be learnt. */
  readonly complete: boolean;
}

/** Vectors as [n] each; `step` makes one more step of those whose index is named. */
export interface LockstepLanczos {
  step(active: readonly number[]): Promise<void>;
  view(index: number): LanczosView;
}

interface State {
  readonly Q: Float64Array[];
  readonly alpha: number[];
  readonly beta: number[];
  rho2: number;
  complete: boolean;
}

/** Full reorthogonalisation, twice; `G` applies the Gram matrix to a block of columns [n, b]. */
export function lockstepLanczos(
  G: (X: Matrix) => Promise<Matrix>,
  starts: readonly Float64Array[],
): LockstepLanczos {
  const states = starts.map((start): State => {
    const size = norm(start);
    const complete = size === 0;
    return {
      Q: [start.map((value) => (complete ? 0 : value / size))],
      alpha: [],
      beta: [],
      rho2: 0,
      complete,
    };
  });
  return {
    step: async (active) => {
      const wanted = active.map((index) => at(states, index)).filter((one) => !one.complete);
      if (wanted.length === 0) return;
      const image = await G(columnsOf(wanted.map(({ Q }) => at(Q, Q.length - 1))));
      for (const [j, state] of wanted.entries()) advance(state, columnOf(image, j));
    },
    view: (index) => {
      const { alpha, beta, rho2, complete } = at(states, index);
      return { alpha: [...alpha], beta: [...beta], rho: Math.sqrt(rho2), complete };
    },
  };
}

/** G = W₀W₀ᵀ for out ≤ in, else W₀ᵀW₀. */
export function gramOf(W: Operator): (X: Matrix) => Promise<Matrix> {
  return W.rows <= W.columns
    ? async (X) => W.apply(await W.applyTransposed(X))
    : async (X) => W.applyTransposed(await W.apply(X));
}

function advance(state: State, image: Float64Array): void {
  const { Q, alpha, beta } = state;
  const own = at(Q, Q.length - 1);
  const before = Q.at(-2);
  const a = dot(own, image);
  const z = Float64Array.from(image);
  subtract(z, a, own);
  if (before !== undefined) subtract(z, at(beta, beta.length - 1), before);
  const rest = Float64Array.from(z);
  for (let round = 0; round < 2; round++) for (const q of Q) subtract(z, dot(q, z), q);
  const b = norm(z);
  alpha.push(a);
  // Below this the rest is rounding; the recurrence has met an invariant space.
  const full = Q.length >= own.length || b <= 2 ** -50 * norm(image);
  beta.push(full ? 0 : b);
  if (!full) {
    const next = z.map((value) => value / b);
    Q.push(next);
    subtract(rest, b, next);
  }
  state.rho2 += dot(rest, rest);
  state.complete = full;
}

export function columnsOf(vectors: readonly Float64Array[]): Matrix {
  const rows = vectors[0]?.length ?? 0;
  const columns = vectors.length;
  const data = new Float64Array(rows * columns);
  for (const [j, vector] of vectors.entries())
    for (let i = 0; i < rows; i++) data[i * columns + j] = vector[i] ?? NaN;
  return { rows, columns, data };
}

export function columnOf({ rows, columns, data }: Matrix, j: number): Float64Array {
  const out = new Float64Array(rows);
  for (let i = 0; i < rows; i++) out[i] = data[i * columns + j] ?? NaN;
  return out;
}

export function dot(x: Float64Array, y: Float64Array): number {
  // Four sums, so that additions need not wait for each other; the order is fixed.
  let [a, b, c, d] = [0, 0, 0, 0];
  const n = x.length - (x.length % 4);
  for (let i = 0; i < n; i += 4) {
    a += (x[i] ?? NaN) * (y[i] ?? NaN);
    b += (x[i + 1] ?? NaN) * (y[i + 1] ?? NaN);
    c += (x[i + 2] ?? NaN) * (y[i + 2] ?? NaN);
    d += (x[i + 3] ?? NaN) * (y[i + 3] ?? NaN);
  }
  for (let i = n; i < x.length; i++) a += (x[i] ?? NaN) * (y[i] ?? NaN);
  return a + b + (c + d);
}

export function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

function subtract(z: Float64Array, factor: number, q: Float64Array): void {
  for (let i = 0; i < z.length; i++) z[i] = (z[i] ?? NaN) - factor * (q[i] ?? NaN);
}
