/** @file Random matrix pairs of many kinds, and the official procedure on them. */
import type { Linalg, Matrix } from "../../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../../kernels/linalg/matrix.ts";
import type { MatrixPair, Update } from "../../../../src/engine/analyze/source.ts";
import { at } from "../../../../src/shared/errors.ts";
import { random, scaled, withSingularValues } from "../../kernels/linalg/matrices.ts";

export type Family = "square" | "tall" | "wide" | "rank-deficient" | "clusters" | "bfloat16";

export interface Sample {
  readonly pair: MatrixPair;
  readonly base: Matrix;
  readonly tuned: Matrix;
}

/** A pair of the family: rank-4 updates between invisible and large, the base of decaying values. */
export function sample(family: Family, seed: number): Sample {
  const small = 48 + ((seed * 7) % 40);
  const [out, columns] =
    family === "tall"
      ? [2 * small, small]
      : family === "wide"
        ? [small, 2 * small]
        : [small, small];
  const count = Math.min(out, columns);
  const sigma = Array.from({ length: count }, (_, i) => {
    if (family === "clusters") return 1 + Math.floor((count - 1 - i) / 6);
    if (family === "rank-deficient" && i >= count / 2) return 0;
    return 3 * (1 - i / (count + 5)) ** (1 + (seed % 3));
  });
  const exact = withSingularValues(out, columns, sigma, seed);
  const base = family === "bfloat16" ? mapped(exact, bfloat16) : mapped(exact, Math.fround);
  const size = [0.02, 0.3, 1, 3][seed % 4] ?? 1;
  const unit = 1 / Math.sqrt((out * columns) / 9);
  const B = mapped(scaled(random(out, 4, seed + 2), size * at(sigma, 0) * unit), Math.fround);
  const A = mapped(random(4, columns, seed + 3), Math.fround);
  const tuned = added(base, times(B, A));
  return { pair: pairOf(base, { kind: "factors", factors: [{ B, A, scale: 1 }] }), base, tuned };
}

export function pairOf(base: Matrix, update: Update): MatrixPair {
  return {
    name: "layer.weight",
    out: base.rows,
    in: base.columns,
    module: "other",
    layer: undefined,
    baseDtype: "float32",
    tunedDtype: "float32",
    baseHash: "base",
    tunedHash: "tuned",
    load: () => Promise.resolve({ base, update }),
  };
}

/** The paper's code: thin SVDs of float32 matrices, the largest |⟨u_j, u₀ᵢ⟩| over all i for each j < k. */
export async function official(
  linalg: Linalg,
  base: Matrix,
  tuned: Matrix,
  k: number,
): Promise<number[]> {
  const single = (A: Matrix) => ({ ...A, data: new Float32Array(A.data) });
  const before = await linalg.svd(single(base));
  const after = await linalg.svd(single(tuned));
  const cosines = await linalg.multiply(after.U, before.U, { transposeA: true });
  const n = cosines.columns;
  return Array.from({ length: k }, (_, j) =>
    cosines.data.subarray(j * n, (j + 1) * n).reduce((most, c) => Math.max(most, Math.abs(c)), 0),
  );
}

export function mapped(A: Matrix, change: (value: number) => number): Matrix {
  return { ...A, data: A.data.map(change) };
}

export function added(A: Matrix, B: Matrix): Matrix {
  return { ...A, data: A.data.map((value, i) => value + at(B.data, i)) };
}

export function times(A: Matrix, B: Matrix): Matrix {
  const turned = transposedCopy(B);
  const data = new Float64Array(A.rows * B.columns);
  for (let i = 0; i < A.rows; i++)
    for (let j = 0; j < B.columns; j++) {
      let sum = 0;
      for (let l = 0; l < A.columns; l++)
        sum += at(A.data, i * A.columns + l) * at(turned.data, j * A.columns + l);
      data[i * B.columns + j] = sum;
    }
  return { rows: A.rows, columns: B.columns, data };
}

/** Rounded to 8 bits, as bfloat16 stores it (ties away do not matter here). */
function bfloat16(value: number): number {
  if (value === 0) return 0;
  const ulp = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 7);
  return Math.round(value / ulp) * ulp;
}
