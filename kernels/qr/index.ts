/** @file Blocked Householder QR, and products with the orthogonal matrices that reflectors make. */
import { address, part, transposed, type Block, type Workspace } from "../linalg/workspace.ts";

/** H_0 H_1 … = I − V T Vᵀ on the rows from `first` on; V is unit lower trapezoidal, T upper triangular. */
export interface Reflectors {
  readonly first: number;
  readonly V: Block;
  readonly T: Block;
}

const panelColumns = 32;

/**
 * Factorises the m × n block A = Q R in place, panel by panel: R is left on and above the diagonal,
 * zeros below. Q = Π (I − V T Vᵀ), first panel first (Schreiber and Van Loan 1989, the compact WY form).
 * The vectors stay in the workspace.
 */
export async function reduceToR(ws: Workspace, A: Block): Promise<readonly Reflectors[]> {
  const steps = Math.min(A.rows, A.columns);
  const panels: Reflectors[] = [];
  for (let j = 0; j < steps; j += panelColumns)
    panels.push(await reduceStep(ws, A, j, Math.min(panelColumns, steps - j)));
  return panels;
}

/** Reduces columns [j, j + width) from row j on, and brings the columns to their right up to date. */
export async function reduceStep(
  ws: Workspace,
  A: Block,
  j: number,
  width: number,
): Promise<Reflectors> {
  const height = A.rows - j;
  const V = ws.take(height, width);
  const T = ws.zeros(width, width);
  await ws.scoped(async () => {
    const R = ws.take(width, width);
    const tau = ws.take(1, width);
    const work = ws.take(2, Math.max(height, width));
    const panel = part(A, j, j, height, width);
    ws.call.copyRows(height, width, panel.at, A.rowStep, V.at, width);
    ws.call.qrPanel(height, width, V.at, R.at, tau.at, work.at);
    ws.fill(panel, 0);
    ws.call.copyRows(width, width, R.at, width, panel.at, A.rowStep);
    await triangular(ws, V, tau, T);
    const right = part(A, 0, j + width, A.rows, A.columns - j - width);
    await applyLeft(ws, { first: j, V, T }, right, true);
  });
  return { first: j, V, T };
}

/** T of the compact form from V and tau. */
export async function triangular(ws: Workspace, V: Block, tau: Block, T: Block): Promise<void> {
  ws.fill(T, 0);
  await ws.multiply(1, transposed(V), V, T);
  ws.call.triangularFactor(T.rows, T.at, tau.at);
}

/** C ← (I − V T Vᵀ) C, or its transpose's product; rows of C count from 0. */
export async function applyLeft(
  ws: Workspace,
  { first, V, T }: Reflectors,
  C: Block,
  transpose: boolean,
): Promise<void> {
  if (C.columns === 0) return;
  await ws.scoped(async () => {
    const rows = part(C, first, 0, V.rows, C.columns);
    const W = ws.zeros(V.columns, C.columns);
    const TW = ws.zeros(V.columns, C.columns);
    await ws.multiply(1, transposed(V), rows, W);
    await ws.multiply(1, transpose ? transposed(T) : T, W, TW);
    await ws.multiply(-1, V, TW, rows);
  });
}

/** C ← C (I − V T Vᵀ), or with the transpose; columns of C count from 0. */
async function applyRight(
  ws: Workspace,
  { first, V, T }: Reflectors,
  C: Block,
  transpose: boolean,
): Promise<void> {
  await ws.scoped(async () => {
    const columns = part(C, 0, first, C.rows, V.rows);
    const W = ws.zeros(C.rows, V.columns);
    const WT = ws.zeros(C.rows, V.columns);
    await ws.multiply(1, columns, V, W);
    await ws.multiply(1, W, transpose ? transposed(T) : T, WT);
    await ws.multiply(-1, WT, transposed(V), columns);
  });
}

/** C ← Q C, the panels last to first. */
export async function applyQ(
  ws: Workspace,
  panels: readonly Reflectors[],
  C: Block,
): Promise<void> {
  for (const panel of panels.toReversed()) await applyLeft(ws, panel, C, false);
}

/** X ← X Qᵀ, the panels last to first. */
export async function applyQTransposedRight(
  ws: Workspace,
  panels: readonly Reflectors[],
  X: Block,
): Promise<void> {
  for (const panel of panels.toReversed()) await applyRight(ws, panel, X, true);
}

/** The first `columns` columns of Q, m × columns: only the part of the identity that a panel reaches is touched. */
export async function formQ(
  ws: Workspace,
  panels: readonly Reflectors[],
  rows: number,
  columns: number,
): Promise<Block> {
  const Q = ws.zeros(rows, columns);
  const values = ws.view(Q);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  for (const panel of panels.toReversed())
    await applyLeft(ws, panel, part(Q, 0, panel.first, rows, columns - panel.first), false);
  return Q;
}

/** One reflector of a contiguous vector at `at`: the vector becomes v, its beta and tau are returned. */
export function reflect(
  ws: Workspace,
  at: number,
  count: number,
  tau: Block,
  index: number,
): readonly [beta: number, tau: number] {
  const to = address(tau, 0, index);
  const beta = ws.call.reflector(count, at, to);
  return [beta, ws.view(tau)[index] ?? NaN];
}
