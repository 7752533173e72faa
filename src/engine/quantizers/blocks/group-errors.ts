/** @file What an error in the weights of one group does to the outputs, group by group. */
import type { Linalg } from "../../../../kernels/linalg/index.ts";
import type { Matrix } from "../../../../kernels/linalg/matrix.ts";

/** Xᵀ X of the inputs of each group. */
export async function groupMoments(
  linalg: Linalg,
  { rows, columns, data }: Matrix<Float32Array>,
  group: number,
): Promise<readonly Matrix<Float32Array>[]> {
  const moments: Matrix<Float32Array>[] = [];
  for (let from = 0; from < columns; from += group) {
    const width = Math.min(group, columns - from);
    const X = new Float32Array(rows * width);
    for (let row = 0; row < rows; row++)
      X.set(data.subarray(row * columns + from, row * columns + from + width), row * width);
    const part = { rows, columns: width, data: X };
    moments.push(await linalg.multiply<Float32Array>(part, part, { transposeA: true }));
  }
  return moments;
}

/** d H dᵀ of each row's part d from column `from` on. */
export async function groupErrors(
  linalg: Linalg,
  { rows, columns, data }: Matrix<Float32Array>,
  moment: Matrix<Float32Array>,
  from: number,
): Promise<Float64Array> {
  const width = moment.rows;
  const D = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++)
    D.set(data.subarray(row * columns + from, row * columns + from + width), row * width);
  const part = { rows, columns: width, data: D };
  const { data: product } = await linalg.multiply<Float32Array>(part, moment);
  const errors = new Float64Array(rows);
  for (const [i, p] of product.entries()) {
    const row = Math.floor(i / width);
    errors[row] = (errors[row] ?? NaN) + p * (D[i] ?? NaN);
  }
  return errors;
}
