/** @file How much two updates of one matrix share: subspaces, principal angles, direction. */
import type { Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";
import type { LowRankSvd } from "./low-rank.ts";
import type { OverlapRecord } from "../../shared/spectra-records.ts";

/** ‖U_iᵀ U_j‖²_F / min(i, j) for i, j up to the ranks (at most `most`), of left and right vectors. */
export async function overlapOf(
  linalg: Linalg,
  name: string,
  first: LowRankSvd,
  second: LowRankSvd,
  most = 64,
): Promise<Omit<OverlapRecord, "baseHash" | "tunedHash">> {
  const ranks = [rankOf(first), rankOf(second)] as const;
  const left = await linalg.multiply(first.U, second.U, { transposeA: true });
  const right = await linalg.multiply(first.Vt, second.Vt, { transposeB: true });
  const norms = [length(first.sigma), length(second.sigma)] as const;
  let inner = 0;
  for (let i = 0; i < left.rows; i++)
    for (let j = 0; j < left.columns; j++) {
      const place = i * left.columns + j;
      inner +=
        at(first.sigma, i) * at(second.sigma, j) * at(left.data, place) * at(right.data, place);
    }
  return {
    name,
    left: shares(left, ranks, most),
    right: shares(right, ranks, most),
    leftAngles: await angles(linalg, corner(left, ranks)),
    rightAngles: await angles(linalg, corner(right, ranks)),
    norms,
    ranks,
    cosine: norms[0] * norms[1] === 0 ? 0 : inner / (norms[0] * norms[1]),
  };
}

function rankOf({ sigma }: LowRankSvd): number {
  const floor = 1e-12 * (sigma[0] ?? 0);
  return sigma.reduce((count, value) => count + Number(value > floor), 0);
}

function length(sigma: Float64Array): number {
  return Math.sqrt(sigma.reduce((sum, value) => sum + value * value, 0));
}

function corner({ columns, data }: Matrix, [rows, kept]: readonly [number, number]): Matrix {
  const out = new Float64Array(rows * kept);
  for (let i = 0; i < rows; i++) out.set(data.subarray(i * columns, i * columns + kept), i * kept);
  return { rows, columns: kept, data: out };
}

function shares(
  { columns, data }: Matrix,
  ranks: readonly [number, number],
  most: number,
): number[][] {
  const [rows, across] = [Math.min(ranks[0], most), Math.min(ranks[1], most)];
  const table: number[][] = [];
  const above = new Float64Array(across);
  for (let i = 0; i < rows; i++) {
    let row = 0;
    const line: number[] = [];
    for (let j = 0; j < across; j++) {
      row += at(data, i * columns + j) ** 2;
      const sum = at(above, j) + row;
      above[j] = sum;
      line.push(sum / Math.min(i + 1, j + 1));
    }
    table.push(line);
  }
  return table;
}

async function angles(linalg: Linalg, cosines: Matrix): Promise<number[]> {
  if (cosines.data.length === 0) return [];
  const values = await linalg.singularValues(cosines);
  return Array.from(values, (value) => Math.acos(Math.min(1, value)));
}
