/** @file What an intruder count is compared with: updates that share ΔW's size and values, and not its directions. */
import { normalMatrix } from "../../../kernels/krylov/normal.ts";
import type { Data, Linalg, Matrix } from "../../../kernels/linalg/index.ts";
import { at } from "../../shared/errors.ts";
import type { LowRankSvd } from "./low-rank.ts";
import { frobenius, inFloat64, timesNumber } from "./products.ts";
import type { Factors } from "./source.ts";

/** A random update with ΔW's own singular values: both sides uniformly turned. */
export async function randomUpdate(
  linalg: Linalg,
  { U, sigma, Vt }: LowRankSvd,
  seed: number,
): Promise<Factors> {
  const left = await linalg.qr(normalMatrix(U.rows, sigma.length, seed));
  const right = await linalg.qr(normalMatrix(Vt.columns, sigma.length, seed + 1));
  const B = timesSigma(left.Q, sigma);
  const A = await linalg.multiply(identity(sigma.length), right.Q, { transposeB: true });
  return { B, A, scale: 1 };
}

/** ΔW with its left vectors turned at random, its values and right vectors kept. */
export async function rotatedUpdate(
  linalg: Linalg,
  { U, sigma, Vt }: LowRankSvd,
  seed: number,
): Promise<Factors> {
  const { Q } = await linalg.qr(normalMatrix(U.rows, sigma.length, seed));
  return { B: timesSigma(Q, sigma), A: Vt, scale: 1 };
}

/** A full fine-tuning's ΔW scaled to the Frobenius norm of another update. */
export function scaledToNorm(delta: Matrix<Data>, norm: number): Matrix {
  const size = frobenius(delta);
  return timesNumber(inFloat64(delta), size === 0 ? 0 : norm / size);
}

function timesSigma(U: Matrix, sigma: Float64Array): Matrix {
  return { ...U, data: U.data.map((value, i) => value * at(sigma, i % U.columns)) };
}

function identity(n: number): Matrix {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return { rows: n, columns: n, data };
}
