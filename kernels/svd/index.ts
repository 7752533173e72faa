/** @file The thin singular value decomposition of a dense matrix in the workspace. */
import { applyQ, applyQTransposedRight, reduceToR } from "../qr/index.ts";
import { normalise, part, transposed, type Block, type Workspace } from "../linalg/workspace.ts";
import { bandBidiagonal } from "./band.ts";
import { bidiagonalise } from "./bidiagonalise.ts";
import { bidiagonalValues, bidiagonalVectors } from "./divide-and-conquer.ts";

/** From this many rows to a column on, QR first is cheaper. */
const tall = 1.6;

/** From this many columns on, two stages give the values sooner than one. */
const large = 128;

/** A = U diag(sigma) Vt with U [m, n] and Vt [n, n]. */
export interface SvdBlocks {
  /** [n], descending. */
  readonly sigma: Float64Array<ArrayBuffer>;
  readonly U: Block;
  readonly Vt: Block;
}

/** The thin SVD of an m × n block with m ≥ n, which is destroyed: (QR of tall ones,) bidiagonal form, divide and conquer. */
export async function thinSvd(ws: Workspace, A: Block): Promise<SvdBlocks> {
  const { rows: m, columns: n } = A;
  const factor = normalise(ws, A);
  const U = ws.zeros(m, n);
  const Vt = ws.take(n, n);
  const sigma = await ws.scoped(async () => {
    const panels = m >= tall * n ? await reduceToR(ws, A) : [];
    const core = panels.length > 0 ? part(A, 0, 0, n, n) : A;
    const B = await bidiagonalise(ws, core, true);
    const { values, UT, VT } = await bidiagonalVectors(ws, B.diagonal, B.superdiagonal, true);
    const order = Array.from(values, (_, i) => i).sort(
      (a, b) => (values[b] ?? NaN) - (values[a] ?? NaN) || a - b,
    );
    if (UT !== undefined)
      for (const [to, from] of order.entries()) {
        ws.call.copyRows(1, n, VT.at + 8 * from * n, n, Vt.at + 8 * to * n, n);
        ws.call.copy(n, UT.at + 8 * from * n, 1, U.at + 8 * to, n);
      }
    await applyQ(ws, B.left, part(U, 0, 0, core.rows, n));
    await applyQTransposedRight(ws, B.right, Vt);
    if (panels.length > 0) await applyQ(ws, panels, U);
    return Float64Array.from(order, (i) => (values[i] ?? NaN) * factor);
  });
  return { sigma, U, Vt };
}

/** The singular values alone, descending. A is destroyed. */
export async function singularValues(ws: Workspace, A: Block): Promise<Float64Array<ArrayBuffer>> {
  const { rows: m, columns: n } = A;
  const factor = normalise(ws, A);
  const values = await ws.scoped(async () => {
    if (m >= tall * n) await reduceToR(ws, A);
    const core = part(A, 0, 0, m >= tall * n ? n : m, n);
    const B = n >= large ? await bandBidiagonal(ws, core) : await bidiagonalise(ws, core, false);
    return bidiagonalValues(ws, B.diagonal, B.superdiagonal);
  });
  return values.reverse().map((value) => value * factor);
}

/** The blocks of the transpose. */
export function turn({ sigma, U, Vt }: SvdBlocks): SvdBlocks {
  return { sigma, U: transposed(Vt), Vt: transposed(U) };
}
