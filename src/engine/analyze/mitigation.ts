/** @file Scales intruder dimensions of a tuned matrix: exactly an adapter of rank r + |I|, or a correction of merged weights. */
import type { Data, Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";
import { svdOfFactors, type LowRankSvd } from "./low-rank.ts";
import {
  denseOperator,
  formTuned,
  formUpdate,
  frobenius,
  inFloat64,
  tunedOperator,
  type Tools,
} from "./products.ts";
import type {
  MatrixIntrudersRecord,
  MitigationRecord,
  VectorRecord,
} from "../../shared/intruder-records.ts";
import type { Factors, LoadedPair } from "./source.ts";
import { factorsOf } from "./spectra.ts";
import { exactTop, krylovTop, rowOf } from "./top-vectors.ts";

export interface MitigationOptions {
  /** λ, the share of each intruder that stays: 1 leaves W as it is, 0 takes the direction out, 2 doubles it. */
  readonly keep: number;
  /** The intruder of the largest singular value, or all among the vectors looked at. */
  readonly which: "top" | "all";
  /** Scale instead, for each intruder, the vector that is none and nearest in singular value. */
  readonly control: boolean;
  readonly seed: number;
  /** Up to so many rows or columns W's vectors come of an exact SVD. */
  readonly exactBelow: number;
}

/**
 * `adapter`: ΔW' as one pair of factors of scale 1 and rank r + |I|. `correction`: what is added to
 * merged weights, where the base enters W otherwise than as a sum, or ΔW is dense. `unchanged`: nothing
 * was to be scaled, and W stays bit for bit.
 */
export type Mitigated =
  | {
      readonly kind: "adapter";
      readonly factors: Factors;
      /** What of `factors` was added to the update. */
      readonly correction: Factors;
      readonly record: MitigationRecord;
    }
  | { readonly kind: "correction"; readonly correction: Factors; readonly record: MitigationRecord }
  | { readonly kind: "unchanged"; readonly record: MitigationRecord };

/** ΔW' = ΔW + Σ_{j ∈ I} (λ − 1) σ_j u_j v_jᵀ, I from the record of the same pair. */
export async function mitigate(
  tools: Tools,
  loaded: LoadedPair,
  found: MatrixIntrudersRecord,
  options: MitigationOptions,
): Promise<Mitigated> {
  const { keep, which, control } = options;
  const indices = chosen(found.vectors, options);
  const factors = loaded.update === undefined ? undefined : factorsOf(loaded.update);
  const rankBefore = factors?.reduce((sum, { A }) => sum + A.rows, 0);
  const plain = {
    ...{ name: found.name, keep, which, control, rankBefore },
    compressionLoss: undefined,
  };
  if (keep === 1 || indices.length === 0 || loaded.update === undefined)
    return {
      kind: "unchanged",
      record: { ...plain, indices: [], sigmas: [], rankAfter: rankBefore, change: 0 },
    };
  const base = inFloat64(loaded.base);
  const { update } = loaded;
  const count = indices.reduce((top, j) => Math.max(top, j + 1), 0);
  const small = Math.min(base.rows, base.columns) <= options.exactBelow;
  const top = small
    ? await exactTop(tools, () => formTuned(tools, base, update), count)
    : await krylovTop(tools, tunedOperator(tools, denseOperator(tools, base), update), {
        ...{ count, error: 1e-6, cluster: 1e-9, seed: options.seed, steps: 40 },
      });
  const correction: Factors = {
    B: columns(indices.map((j) => scaledRow(rowOf(top.left, j), (keep - 1) * at(top.sigma, j)))),
    A: rows(indices.map((j) => rowOf(top.right, j))),
    scale: 1,
  };
  const sigmas = indices.map((j) => at(top.sigma, j));
  const removed = Math.abs(keep - 1) * Math.sqrt(sigmas.reduce((sum, s) => sum + s * s, 0));
  const size =
    factors === undefined
      ? frobenius(await formUpdate(tools, base, update))
      : length((await svdOfFactors(tools.linalg, factors)).sigma);
  const record: MitigationRecord = {
    ...plain,
    ...{ indices, sigmas },
    rankAfter: rankBefore === undefined ? undefined : rankBefore + indices.length,
    change: size === 0 ? Infinity : removed / size,
  };
  return factors === undefined
    ? { kind: "correction", correction, record }
    : { kind: "adapter", factors: joined([...factors, correction]), correction, record };
}

/**
 * A whole matrix of which parts were mitigated, `rows` saying which of its rows each is: their corrections stand in
 * those rows, beside the update of the whole. Its record is that of the first part, with the ranks of the whole.
 */
export function joinedParts(
  { base, update }: LoadedPair,
  parts: readonly { readonly rows: readonly number[]; readonly mitigated: Mitigated }[],
): Mitigated {
  const { record } = at(parts, 0).mitigated;
  const corrections = parts.flatMap(({ rows: places, mitigated }): readonly Factors[] =>
    mitigated.kind === "unchanged" ? [] : [inRows(mitigated.correction, places, base.rows)],
  );
  if (corrections.length === 0 || update === undefined) return { kind: "unchanged", record };
  const correction = joined(corrections);
  const own = factorsOf(update);
  if (own === undefined) return { kind: "correction", correction, record };
  const factors = joined([...own, correction]);
  const rankAfter = factors.A.rows;
  return { kind: "adapter", factors, correction, record: { ...record, rankAfter } };
}

/** Factors of some rows, as factors of all. */
function inRows({ A, B, scale }: Factors, places: readonly number[], count: number): Factors {
  const data = new Float64Array(count * B.columns);
  for (const [row, place] of places.entries())
    data.set(B.data.subarray(row * B.columns, (row + 1) * B.columns), place * B.columns);
  return { A, B: { rows: count, columns: B.columns, data }, scale };
}

/** The best adapter of rank r in the Frobenius norm, and what it lost of ‖ΔW'‖_F. */
export async function compressed(
  linalg: Linalg,
  factors: Factors,
  r: number,
): Promise<{ readonly factors: Factors; readonly loss: number }> {
  const svd = await svdOfFactors(linalg, [factors]);
  const kept = Math.min(r, svd.sigma.length);
  const all = length(svd.sigma);
  return {
    factors: truncated(svd, kept),
    loss: all === 0 ? 0 : length(svd.sigma.slice(kept)) / all,
  };
}

/** √σ goes to either side, so that neither factor is large. */
function truncated({ U, sigma, Vt }: LowRankSvd, r: number): Factors {
  const B = new Float64Array(U.rows * r);
  for (let i = 0; i < U.rows; i++)
    for (let j = 0; j < r; j++)
      B[i * r + j] = at(U.data, i * U.columns + j) * Math.sqrt(at(sigma, j));
  const A = Vt.data
    .slice(0, r * Vt.columns)
    .map((value, i) => value * Math.sqrt(at(sigma, Math.floor(i / Vt.columns))));
  return {
    B: { rows: U.rows, columns: r, data: B },
    A: { rows: r, columns: Vt.columns, data: A },
    scale: 1,
  };
}

/** The vectors to scale: intruders, or beside each the vector nearest in singular value that is none; no vector twice. */
function chosen(
  vectors: readonly VectorRecord[],
  { which, control }: MitigationOptions,
): readonly number[] {
  const all = vectors.filter(({ intruder }) => intruder === true);
  const wanted = which === "top" ? all.slice(0, 1) : all;
  if (!control) return wanted.map(({ index }) => index);
  const free = vectors.filter(({ intruder }) => intruder === false);
  const taken = new Set<number>();
  for (const { sigma } of wanted) {
    const near = free
      .filter(({ index }) => !taken.has(index))
      .toSorted((a, b) => Math.abs(a.sigma - sigma) - Math.abs(b.sigma - sigma))[0];
    if (near !== undefined) taken.add(near.index);
  }
  return [...taken].sort((a, b) => a - b);
}

/** Factors side by side, their scales taken into B. Float32 elements stay as they are where a scale is 1. */
function joined(list: readonly Factors[]): Factors {
  const out = at(list, 0).B.rows;
  const inputs = at(list, 0).A.columns;
  const r = list.reduce((sum, { A }) => sum + A.rows, 0);
  const B = new Float64Array(out * r);
  const A = new Float64Array(r * inputs);
  let first = 0;
  for (const one of list) {
    for (let i = 0; i < out; i++)
      for (let j = 0; j < one.B.columns; j++)
        B[i * r + first + j] = one.scale * at(one.B.data, i * one.B.columns + j);
    A.set(one.A.data, first * inputs);
    first += one.A.rows;
  }
  return {
    B: { rows: out, columns: r, data: B },
    A: { rows: r, columns: inputs, data: A },
    scale: 1,
  };
}

function columns(vectors: readonly Float64Array[]): Matrix<Data> {
  const count = at(vectors, 0).length;
  const data = new Float64Array(count * vectors.length);
  for (const [j, vector] of vectors.entries())
    for (const [i, value] of vector.entries()) data[i * vectors.length + j] = value;
  return { rows: count, columns: vectors.length, data };
}

function rows(vectors: readonly Float64Array[]): Matrix<Data> {
  const count = at(vectors, 0).length;
  const data = new Float64Array(count * vectors.length);
  for (const [i, vector] of vectors.entries()) data.set(vector, i * count);
  return { rows: vectors.length, columns: count, data };
}

function scaledRow(x: Float64Array, factor: number): Float64Array {
  return x.map((value) => value * factor);
}

function length(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
}
