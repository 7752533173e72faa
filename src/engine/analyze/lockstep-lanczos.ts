/** @file Lanczos from several vectors at once: each its own recurrence, the products made together. */
import type { Operator } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { product, type Tools } from "./products.ts";

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

/** So many recurrences are made orthogonal in one product: what one of them has of the others' vectors is made in vain. */
const groupSize = 16;

/** Full reorthogonalisation; `G` applies the Gram matrix to a block of columns [n, b]. */
export function lockstepLanczos(
  tools: Tools,
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
  const known = new Map<number, KnownRows>();
  return {
    step: async (active) => {
      const wanted = active.map((index) => at(states, index)).filter((one) => !one.complete);
      if (wanted.length === 0) return;
      const image = await G(columnsOf(wanted.map(({ Q }) => at(Q, Q.length - 1))));
      for (let first = 0; first < wanted.length; first += groupSize) {
        const group = wanted.slice(first, first + groupSize);
        const rows = knownRows(group, known.get(first));
        known.set(first, rows);
        const images = group.map((_, j) => columnOf(image, first + j));
        await advance(tools, group, rows, images);
      }
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

/** The vectors so far of a group of recurrences, as rows of one matrix. */
interface KnownRows {
  readonly group: readonly State[];
  readonly steps: number;
  /** Row `step · group.length + j` is the j-th recurrence's of that step; room for more after them. */
  readonly data: Float64Array;
}

/** Those before and one more of each where the group is the same, else all anew. */
function knownRows(group: readonly State[], before: KnownRows | undefined): KnownRows {
  const n = at(at(group, 0).Q, 0).length;
  const steps = at(group, 0).Q.length;
  const width = group.length * n;
  const isSame =
    before?.group.length === group.length && group.every((state, j) => state === before.group[j]);
  const kept = isSame ? before.steps : 0;
  let data = isSame ? before.data : new Float64Array(0);
  if (steps * width > data.length) {
    const larger = new Float64Array(2 * steps * width);
    larger.set(data.subarray(0, kept * width));
    data = larger;
  }
  for (let step = kept; step < steps; step++)
    for (const [j, { Q }] of group.entries()) data.set(at(Q, step), step * width + j * n);
  return { group, steps, data };
}

async function advance(
  tools: Tools,
  group: readonly State[],
  known: KnownRows,
  images: readonly Float64Array[],
): Promise<void> {
  const n = at(images, 0).length;
  const rests: Matrix = {
    rows: group.length,
    columns: n,
    data: new Float64Array(n * group.length),
  };
  for (const [j, { Q, alpha, beta }] of group.entries()) {
    const own = at(Q, Q.length - 1);
    const before = Q.at(-2);
    const image = at(images, j);
    const a = dot(own, image);
    alpha.push(a);
    const z = rests.data.subarray(j * n, (j + 1) * n);
    z.set(image);
    subtract(z, a, own);
    if (before !== undefined) subtract(z, at(beta, beta.length - 1), before);
  }
  const cleaned = await orthogonalised(tools, known, rests);
  for (const [j, state] of group.entries()) {
    const z = cleaned.subarray(j * n, (j + 1) * n);
    const rest = rests.data.subarray(j * n, (j + 1) * n);
    const size = norm(z);
    // Below this the rest is rounding; the recurrence has met an invariant space.
    const full = known.steps >= n || size <= 2 ** -50 * norm(at(images, j));
    state.beta.push(full ? 0 : size);
    if (!full) {
      const next = new Float64Array(n);
      for (let i = 0; i < n; i++) next[i] = (z[i] ?? NaN) / size;
      state.Q.push(next);
      subtract(rest, size, next);
    }
    state.rho2 += dot(rest, rest);
    state.complete = full;
  }
}

/** Where what was inside is no larger than this share of what is left, a second round would take off rounding alone. */
const negligible = 2 ** -26;

/** Each row of Z [b, n] less what it has in the vectors of its own recurrence; twice where the first time took off much. */
async function orthogonalised(
  tools: Tools,
  { group, steps, data }: KnownRows,
  Z: Matrix,
): Promise<Float64Array> {
  const { rows: b, columns: n } = Z;
  const rows: Matrix = {
    rows: steps * group.length,
    columns: n,
    data: data.subarray(0, steps * b * n),
  };
  const out: Matrix = { ...Z, data: Z.data.slice() };
  for (let round = 0; round < 2; round++) {
    const inside = transposedCopy(await product(tools, rows, transposedCopy(out)));
    const largest = new Float64Array(b);
    for (let j = 0; j < b; j++)
      for (let i = 0; i < rows.rows; i++) {
        const place = j * rows.rows + i;
        if (i % b === j)
          largest[j] = Math.max(largest[j] ?? NaN, Math.abs(inside.data[place] ?? NaN));
        else inside.data[place] = 0;
      }
    const taken = await product(tools, inside, rows);
    for (let i = 0; i < out.data.length; i++)
      out.data[i] = (out.data[i] ?? NaN) - (taken.data[i] ?? NaN);
    const isClean = largest.every(
      (size, j) => size <= negligible * norm(out.data.subarray(j * n, (j + 1) * n)),
    );
    if (isClean) break;
  }
  return out.data;
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
