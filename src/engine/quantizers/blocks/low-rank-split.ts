/**
 * @file A weight as a quantized matrix plus one of low rank, alternately fitted to what the other leaves.
 *
 * LQ-LoRA (Guo, Greengard, Xing, Kim, 2023, https://arxiv.org/abs/2311.12023), with the weighting by rows
 * and columns of a Fisher matrix; its code returns the last iterate, this the best. One SVD of what
 * quantizing left is ZeroQuant-FP's LoRC (https://arxiv.org/abs/2307.09782).
 */
import type { Linalg } from "../../../../kernels/linalg/index.ts";
import { checkFinite, checkShape, type Matrix } from "../../../../kernels/linalg/matrix.ts";

export interface LowRank {
  /** [out, rank] */
  readonly left: Matrix<Float64Array<ArrayBuffer>>;
  /** [rank, in] */
  readonly right: Matrix<Float64Array<ArrayBuffer>>;
}

export interface LowRankSplit<Q> extends LowRank {
  /** What `quantize` returned with the best error. */
  readonly quantized: Q;
  /** ‖√F ∘ (W − L R − Q)‖_F after each step. */
  readonly errors: readonly number[];
  /** The step that is returned. */
  readonly best: number;
}

export interface LowRankOptions {
  readonly rank: number;
  /** Steps at most; 100 where not given. */
  readonly steps?: number;
  /** [out · in] F ≥ 0, say the mean squared gradients; all ones where not given. */
  readonly fisher?: ArrayLike<number>;
}

/** The nearest matrix of a rank, √σ on both sides: weighted, diag(row) X diag(column) is approximated. */
export async function lowRank(
  linalg: Linalg,
  X: Matrix,
  rank: number,
  weights?: { readonly row: Float64Array; readonly column: Float64Array },
): Promise<LowRank> {
  const { rows, columns } = X;
  if (!Number.isSafeInteger(rank) || rank < 0) throw new RangeError(`A rank of ${rank}.`);
  const row = (i: number) => weights?.row[i] ?? 1;
  const column = (j: number) => weights?.column[j] ?? 1;
  const scaled = X.data.map((x, at) => x * row(Math.floor(at / columns)) * column(at % columns));
  const { U, sigma, Vt } = await linalg.svd({ rows, columns, data: scaled });
  const k = Math.min(rank, sigma.length);
  const root = (s: number) => Math.sqrt(sigma[s] ?? 0);
  const left = Float64Array.from({ length: rows * k }, (_, at) => {
    const [i, s] = [Math.floor(at / k), at % k];
    return ((U.data[i * U.columns + s] ?? NaN) * root(s)) / row(i);
  });
  const right = Float64Array.from({ length: k * columns }, (_, at) => {
    const [s, j] = [Math.floor(at / columns), at % columns];
    return ((Vt.data[s * columns + j] ?? NaN) * root(s)) / column(j);
  });
  return { left: { rows, columns: k, data: left }, right: { rows: k, columns, data: right } };
}

/**
 * From Q = 0: L R ← the best of rank r of W − Q, Q ← quantize(W − L R), until the error grows. `quantize`
 * returns whatever is stored, and its values [out · in].
 */
export async function splitLowRank<Q>(
  linalg: Linalg,
  W: Matrix,
  quantize: (rest: Matrix) => { readonly stored: Q; readonly values: ArrayLike<number> },
  { rank, steps = 100, fisher }: LowRankOptions,
): Promise<LowRankSplit<Q>> {
  checkShape("A low-rank split", W);
  checkFinite("A low-rank split", W);
  if (!Number.isSafeInteger(steps) || steps < 1) throw new RangeError(`${steps} steps.`);
  const { rows, columns } = W;
  const weights = fisher === undefined ? undefined : meansOf(fisher, rows, columns);
  const weight = (i: number) => fisher?.[i] ?? 1;

  const errors: number[] = [];
  let rest = W;
  let found: Omit<LowRankSplit<Q>, "errors"> | undefined;
  for (let step = 0; step < steps; step++) {
    const factors = await lowRank(linalg, rest, rank, weights);
    const { data: product } = await linalg.multiply(factors.left, factors.right);
    const without = W.data.map((w, i) => w - (product[i] ?? NaN));
    const { stored, values } = quantize({ rows, columns, data: without });
    const sum = without.reduce((all, x, i) => all + weight(i) * (x - (values[i] ?? NaN)) ** 2, 0);
    const error = Math.sqrt(sum);
    const grew = error > (errors.at(-1) ?? Infinity);
    errors.push(error);
    if (found !== undefined && (grew || !(error < (errors[found.best] ?? NaN)))) break;
    found = { ...factors, quantized: stored, best: step };
    rest = { rows, columns, data: W.data.map((w, i) => w - (values[i] ?? NaN)) };
  }
  if (found === undefined) throw new RangeError("A low-rank split takes at least one step.");
  return { ...found, errors };
}

/** Roots of the means by row and by column, at least a millionth of the largest: what is divided by them must stay finite. */
function meansOf(fisher: ArrayLike<number>, rows: number, columns: number) {
  if (fisher.length !== rows * columns)
    throw new RangeError(`${fisher.length} Fisher values for ${rows} × ${columns} weights.`);
  const [row, column] = [new Float64Array(rows), new Float64Array(columns)];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const value = fisher[i * columns + j] ?? NaN;
      if (!(value >= 0 && value < Infinity))
        throw new RangeError(`The Fisher value [${i}, ${j}] is ${value}.`);
      row[i] = (row[i] ?? NaN) + value / columns;
      column[j] = (column[j] ?? NaN) + value / rows;
    }
  const roots = (means: Float64Array) => {
    const top = means.reduce((most, mean) => Math.max(most, mean), 0);
    return means.map((mean) => (top === 0 ? 1 : Math.sqrt(Math.max(mean, top * 1e-12))));
  };
  return { row: roots(row), column: roots(column) };
}
