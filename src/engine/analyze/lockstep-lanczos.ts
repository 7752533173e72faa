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

/** Vectors as [n] each; `step` makes one more step of those whose index is named. One that was left out once has ended. */
export interface LockstepLanczos {
  step(active: readonly number[]): Promise<void>;
  view(index: number): LanczosView;
}

interface State {
  /** q_m, and q_{m−1} where there is one. */
  own: Float64Array;
  before: Float64Array | undefined;
  readonly alpha: number[];
  readonly beta: number[];
  rho2: number;
  complete: boolean;
}

/** Recurrences of as many steps whose vectors so far are rows of one matrix, so that products make them orthogonal. */
interface Group {
  members: readonly State[];
  steps: number;
  /** Row `step · members.length + j` is the j-th member's; room for more after them. */
  data: Float64Array;
}

/** What one recurrence has of the others' vectors is made in vain: no more than so many are together. */
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
      own: start.map((value) => (complete ? 0 : value / size)),
      before: undefined,
      ...{ alpha: [], beta: [], rho2: 0, complete },
    };
  });
  const groups: Group[] = [];
  for (let first = 0; first < states.length; first += groupSize) {
    const group: Group = {
      members: states.slice(first, first + groupSize),
      ...{ steps: 0, data: new Float64Array(0) },
    };
    append(group);
    groups.push(group);
  }
  return {
    step: async (active) => {
      const wanted = new Set(active.map((index) => at(states, index)));
      for (const group of groups) narrow(group, wanted);
      const all = groups.flatMap(({ members }) => members);
      if (all.length === 0) return;
      const image = await G(columnsOf(all.map(({ own }) => own)));
      let first = 0;
      for (const group of groups) {
        const images = group.members.map((_, j) => columnOf(image, first + j));
        first += images.length;
        if (images.length > 0) await advance(tools, group, images);
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

/** Takes each member's own vector up among the rows. */
function append(group: Group): void {
  const n = at(group.members, 0).own.length;
  const width = group.members.length * n;
  const size = (group.steps + 1) * width;
  if (size > group.data.length) {
    const larger = new Float64Array(Math.ceil(1.5 * size));
    larger.set(group.data.subarray(0, group.steps * width));
    group.data = larger;
  }
  for (const [j, { own }] of group.members.entries())
    group.data.set(own, group.steps * width + j * n);
  group.steps += 1;
}

/** Leaves those that are not wanted or full, and their rows. */
function narrow(group: Group, wanted: ReadonlySet<State>): void {
  const { members, steps, data } = group;
  const kept = members.flatMap((state, j) => (wanted.has(state) && !state.complete ? [j] : []));
  if (kept.length === members.length) return;
  const n = at(members, 0).own.length;
  let to = 0;
  for (let step = 0; step < steps; step++)
    for (const j of kept) {
      const from = (step * members.length + j) * n;
      data.copyWithin(to, from, from + n);
      to += n;
    }
  group.members = kept.map((j) => at(members, j));
}

async function advance(tools: Tools, group: Group, images: readonly Float64Array[]): Promise<void> {
  const { members, steps } = group;
  const n = at(images, 0).length;
  const rests: Matrix = {
    rows: members.length,
    columns: n,
    data: new Float64Array(n * members.length),
  };
  for (const [j, { own, before, alpha, beta }] of members.entries()) {
    const image = at(images, j);
    const a = dot(own, image);
    alpha.push(a);
    const z = rests.data.subarray(j * n, (j + 1) * n);
    z.set(image);
    subtract(z, a, own);
    if (before !== undefined) subtract(z, at(beta, beta.length - 1), before);
  }
  const cleaned = await orthogonalised(tools, group, rests);
  for (const [j, state] of members.entries()) {
    const z = cleaned.subarray(j * n, (j + 1) * n);
    const rest = rests.data.subarray(j * n, (j + 1) * n);
    const size = norm(z);
    // Below this the rest is rounding; the recurrence has met an invariant space.
    const full = steps >= n || size <= 2 ** -50 * norm(at(images, j));
    state.beta.push(full ? 0 : size);
    if (!full) {
      const next = new Float64Array(n);
      for (let i = 0; i < n; i++) next[i] = (z[i] ?? NaN) / size;
      subtract(rest, size, next);
      state.before = state.own;
      state.own = next;
    }
    state.rho2 += dot(rest, rest);
    state.complete = full;
  }
  append(group);
}

/** Where what was inside is no larger than this share of what is left, a second round would take off rounding alone. */
const negligible = 2 ** -26;

/** Each row of Z [b, n] less what it has in the vectors of its own recurrence; twice where the first time took off much. */
async function orthogonalised(
  tools: Tools,
  { steps, data }: Group,
  Z: Matrix,
): Promise<Float64Array> {
  const { rows: b, columns: n } = Z;
  const rows: Matrix = {
    rows: steps * b,
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
