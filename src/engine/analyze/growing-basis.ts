/** @file An orthonormal basis that grows by blocks: what block Krylov methods add to at each step. */
import { firstColumns } from "../../../kernels/krylov/operator.ts";
import type { Matrix } from "../../../kernels/linalg/index.ts";
import { transposedCopy } from "../../../kernels/linalg/matrix.ts";
import { at } from "../../shared/errors.ts";
import { product, type Tools } from "./products.ts";

/** What a block has inside and outside of a basis Q [n, count]. */
export interface Parted {
  /** Qᵀ X [count, b]. */
  readonly inside: Matrix;
  /** Orthonormal columns [n, b], orthogonal to Q too, in whose span X − Q inside lies. */
  readonly outside: Matrix;
  /** [b, b]: ‖R z‖ = ‖(X − Q inside) z‖. */
  readonly R: Matrix;
}

export interface GrowingBasis {
  /** The vectors as rows [count, n]; void after the next `join`. */
  rows(): Matrix;
  /** Of X [n, b]; what is outside has the first columns alone where there is no room for all. */
  part(X: Matrix): Promise<Parted>;
  join(block: Matrix): void;
}

/** Where the part of unit vectors inside the basis is no larger, taking it off leaves them orthonormal. */
const negligible = 1e-9;

/** The columns of an orthonormal block [n, b] to begin with. */
export function growingBasis(tools: Tools, first: Matrix): GrowingBasis {
  const n = first.rows;
  let data = new Float64Array(8 * first.data.length);
  let count = 0;
  const rows = (): Matrix => ({ rows: count, columns: n, data: data.subarray(0, count * n) });
  const join = (block: Matrix): void => {
    const size = (count + block.columns) * n;
    if (size > data.length) {
      const larger = new Float64Array(Math.max(size, 2 * data.length));
      larger.set(rows().data);
      data = larger;
    }
    data.set(transposedCopy(block).data, count * n);
    count += block.columns;
  };
  /** X less what it has inside, in X's place. */
  const clean = async (X: Matrix): Promise<Matrix> => {
    const inside = await product(tools, rows(), X);
    const taken = await product(tools, transposedCopy(inside), rows());
    const { columns: b } = X;
    for (let i = 0; i < n; i++)
      for (let j = 0; j < b; j++)
        X.data[i * b + j] = (X.data[i * b + j] ?? NaN) - (taken.data[j * n + i] ?? NaN);
    return inside;
  };
  join(first);
  return {
    rows,
    join,
    part: async (X) => {
      const rest = { ...X, data: X.data.slice() };
      const inside = await clean(rest);
      const { Q: outside, R } = await tools.linalg.qr(fitting(rest, n - count));
      let Q = outside;
      // Where columns all but vanish QR makes up directions; they too must be orthogonal to the basis.
      for (let round = 0; round < 3; round++) {
        const left = await clean(Q);
        if (left.data.every((value) => Math.abs(value) <= negligible)) break;
        Q = (await tools.linalg.qr(Q)).Q;
      }
      return { inside, outside: Q, R };
    },
  };
}

/** The first columns of a block, so many as a basis of n vectors has room for. */
function fitting(block: Matrix, room: number): Matrix {
  return block.columns <= room ? block : firstColumns(block, room);
}

/** Qᵀ G Q of a basis Q that grows: of a symmetric matrix the lower triangle, the new rows from what G Q_new has inside. */
export function bordered(H: Matrix, inside: Matrix): Matrix {
  const { rows: count, columns: b } = inside;
  const before = count - b;
  const data = new Float64Array(count * count);
  for (let i = 0; i < before; i++)
    data.set(H.data.subarray(i * before, i * before + i + 1), i * count);
  for (let j = 0; j < b; j++)
    for (let i = 0; i <= before + j; i++)
      data[(before + j) * count + i] = inside.data[i * b + j] ?? NaN;
  return { rows: count, columns: count, data };
}

/** ‖R z‖ for the last rows z [b] of each column of Z: how far G Q Z is outside of Q's span, G Q_last being R's. */
export function outsideOf(R: Matrix, Z: Matrix): Float64Array<ArrayBuffer> {
  const first = Z.rows - R.columns;
  const out = new Float64Array(Z.columns);
  for (let i = 0; i < R.rows; i++)
    for (let k = 0; k < Z.columns; k++) {
      let sum = 0;
      for (let j = i; j < R.columns; j++)
        sum += at(R.data, i * R.columns + j) * at(Z.data, (first + j) * Z.columns + k);
      out[k] = Math.hypot(at(out, k), sum);
    }
  return out;
}
