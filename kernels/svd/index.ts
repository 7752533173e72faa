/** @file The thin singular value decomposition of a dense matrix in the workspace. */
import { applyLeft, applyQ, applyQTransposedRight, reduceToR } from "../qr/index.ts";
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

/** The singular values of A [m, n], m ≥ n, and of A + L Rᵀ, L [m, r], R [n, r]. All three are destroyed. */
export async function valuesOfBoth(
  ws: Workspace,
  A: Block,
  L: Block,
  R: Block,
): Promise<readonly [before: Float64Array<ArrayBuffer>, after: Float64Array<ArrayBuffer>]> {
  const updated = await updatedBlock(ws, A, L, R);
  const n = A.columns;
  const core = updated.isReduced ? part(A, 0, 0, n, n) : A;
  const after = await singularValues(ws, updated.block);
  const before = await singularValues(ws, core);
  const scaled = (values: Float64Array<ArrayBuffer>) => values.map((x) => x * updated.factor);
  return [scaled(before), scaled(after)];
}

/**
 * A matrix with the singular values of A + L Rᵀ. Where A is tall, Qᵀ A = [R_A; 0] is made once and
 * Qᵀ (A + L Rᵀ) = [R_A + L₁ Rᵀ; L₂ Rᵀ] with Qᵀ L = [L₁; L₂], of which the r rows of L₂'s own triangle stand for
 * the lower part; A then is R_A, and all of it is divided by `factor`.
 */
async function updatedBlock(ws: Workspace, A: Block, L: Block, R: Block) {
  const { rows: m, columns: n } = A;
  const r = L.columns;
  const size = (block: Block) => ws.call.largest(block.at, block.rows * block.columns);
  // Beside an A that is all but nothing, an update would leave the range that A is scaled to.
  const isNear = size(L) * size(R) <= 2 ** 500 * size(A) && size(L) <= 2 ** 500 * size(A);
  if (m < tall * n || 8 * r > n || !isNear) {
    const block = ws.take(m, n);
    ws.call.copyRows(m, n, A.at, n, block.at, n);
    await ws.multiply(1, L, transposed(R), block);
    return { block, factor: 1, isReduced: false };
  }
  const factor = normalise(ws, A);
  ws.call.scale(m * r, 1 / factor, L.at);
  const panels = await reduceToR(ws, A);
  for (const panel of panels) await applyLeft(ws, panel, L, true);
  const below = Math.min(m - n, r);
  const low = part(L, n, 0, m - n, r);
  await reduceToR(ws, low);
  const block = ws.zeros(n + below, n);
  ws.call.copyRows(n, n, A.at, n, block.at, n);
  await ws.multiply(1, part(L, 0, 0, n, r), transposed(R), part(block, 0, 0, n, n));
  await ws.multiply(1, part(low, 0, 0, below, r), transposed(R), part(block, n, 0, below, n));
  return { block, factor, isReduced: true };
}

/** The blocks of the transpose. */
export function turn({ sigma, U, Vt }: SvdBlocks): SvdBlocks {
  return { sigma, U: transposed(Vt), Vt: transposed(U) };
}
