/** @file Eigenvalues and eigenvectors of symmetric and symmetric tridiagonal matrices in the workspace. */
import { applyQTransposedRight, reflect, triangular, type Reflectors } from "../qr/index.ts";
import {
  address,
  normalise,
  part,
  transposed,
  type Block,
  type Workspace,
} from "../linalg/workspace.ts";
import { bidiagonalValues, bidiagonalVectors } from "../svd/divide-and-conquer.ts";

/** S = Q T Qᵀ; T by its diagonal [n] and off-diagonal [n − 1]. */
export interface Tridiagonal {
  readonly diagonal: Float64Array<ArrayBuffer>;
  readonly offDiagonal: Float64Array<ArrayBuffer>;
  readonly Q: readonly Reflectors[];
}

const panelColumns = 32;

/**
 * Reduces a symmetric block, of which the lower triangle is read and destroyed. Within a panel S
 * stands for S − V Wᵀ − W Vᵀ, and w_i = tau (S v − V (Wᵀ v) − W (Vᵀ v)) − ½ tau (wᵀ v) v.
 */
async function tridiagonalise(ws: Workspace, S: Block, vectors: boolean): Promise<Tridiagonal> {
  const n = S.rows;
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(Math.max(0, n - 1));
  const Q: Reflectors[] = [];
  for (let first = 0; first < n; first += panelColumns) {
    const width = Math.min(panelColumns, n - first);
    const N = n - first;
    const kept = vectors ? { V: ws.zeros(N, width), T: ws.take(width, width) } : undefined;
    await ws.scoped(async () => {
      const V = kept?.V ?? ws.zeros(N, width);
      const W = ws.zeros(N, width);
      const tau = ws.zeros(1, width);
      const rest = part(S, first, first, N, N);
      reducePanel(ws, rest, V, W, tau, (i, d, e) => {
        diagonal[first + i] = d;
        if (first + i < n - 1) offDiagonal[first + i] = e;
      });
      // Only the lower triangle is kept up to date, in strips of rows.
      for (let i = width; i < N; i += 128) {
        const height = Math.min(128, N - i);
        const strip = part(rest, i, width, height, i + height - width);
        const columns = (B: Block) => transposed(part(B, width, 0, strip.columns, width));
        await ws.multiply(-1, part(V, i, 0, height, width), columns(W), strip);
        await ws.multiply(-1, part(W, i, 0, height, width), columns(V), strip);
      }
      if (kept !== undefined) await triangular(ws, kept.V, tau, kept.T);
    });
    if (kept !== undefined) Q.push({ first, ...kept });
  }
  return { diagonal, offDiagonal, Q };
}

function reducePanel(
  ws: Workspace,
  S: Block,
  V: Block,
  W: Block,
  tau: Block,
  found: (i: number, d: number, e: number) => void,
): void {
  const { call } = ws;
  const N = S.rows;
  const b = V.columns;
  const column = ws.take(1, N);
  const w = ws.take(1, N);
  const t = ws.take(1, b);
  for (let i = 0; i < b; i++) {
    const length = N - i - 1;
    call.copy(N - i, address(S, i, i), S.rowStep, column.at, 1);
    call.gemv(N - i, i, -1, address(V, i, 0), b, address(W, i, 0), column.at);
    call.gemv(N - i, i, -1, address(W, i, 0), b, address(V, i, 0), column.at);
    const d = ws.view(column)[0] ?? NaN;
    if (length === 0) {
      found(i, d, 0);
      continue;
    }
    const v = column.at + 8;
    const [e, factor] = reflect(ws, v, length, tau, i);
    found(i, d, e);
    call.copy(length, v, 1, address(V, i + 1, i), b);
    ws.view(w).fill(0);
    call.symv(length, factor, address(S, i + 1, i + 1), S.rowStep, v, w.at);
    for (const [A, B] of [
      [W, V],
      [V, W],
    ] as const) {
      ws.view(t).fill(0);
      call.gemvT(length, i, 1, address(A, i + 1, 0), b, v, t.at);
      call.gemv(length, i, -factor, address(B, i + 1, 0), b, t.at, w.at);
    }
    call.axpy(length, -0.5 * factor * call.dot(length, w.at, v), v, w.at);
    call.copy(length, w.at, 1, address(W, i + 1, i), b);
  }
}

/** T − shift = BᵀB with B upper bidiagonal: the eigenvalues of T are σ(B)² + shift, B's right vectors its eigenvectors. */
function shiftedFactor(diagonal: Float64Array, offDiagonal: Float64Array) {
  const n = diagonal.length;
  let [low, size] = [Infinity, 0];
  for (let i = 0; i < n; i++) {
    const radius = Math.abs(offDiagonal[i - 1] ?? 0) + Math.abs(offDiagonal[i] ?? 0);
    low = Math.min(low, (diagonal[i] ?? NaN) - radius);
    size = Math.max(size, Math.abs(diagonal[i] ?? NaN) + radius);
  }
  // Gershgorin's lower end, a little lower still, so that rounding leaves no pivot below zero.
  const shift = low - 8 * 2 ** -53 * size;
  const d = new Float64Array(n);
  const e = new Float64Array(Math.max(0, n - 1));
  for (let i = 0; i < n; i++) {
    const before = e[i - 1] ?? 0;
    d[i] = Math.sqrt(Math.max((diagonal[i] ?? NaN) - shift - before * before, 2 ** -106 * size));
    if (i < n - 1) e[i] = d[i] === 0 ? 0 : (offDiagonal[i] ?? NaN) / (d[i] ?? NaN);
  }
  return { d, e, shift };
}

/** Eigenvalues of a tridiagonal matrix, ascending. */
export async function tridiagonalValues(
  ws: Workspace,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): Promise<Float64Array<ArrayBuffer>> {
  const { d, e, shift } = shiftedFactor(diagonal, offDiagonal);
  const values = await bidiagonalValues(ws, d, e);
  return values.map((value) => value * value + shift);
}

export interface EigenBlocks {
  /** [n], ascending. */
  readonly values: Float64Array<ArrayBuffer>;
  /** [n, n]: row i is the unit eigenvector of value i. */
  readonly rows: Block;
}

/** Eigenvalues and eigenvectors of a tridiagonal matrix. */
export async function tridiagonalVectors(
  ws: Workspace,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): Promise<EigenBlocks> {
  const n = diagonal.length;
  const { d, e, shift } = shiftedFactor(diagonal, offDiagonal);
  const rows = ws.take(n, n);
  const values = await ws.scoped(async () => {
    const { values: sigma, VT } = await bidiagonalVectors(ws, d, e, false);
    const order = Array.from(sigma, (_, i) => i).sort(
      (a, b) => (sigma[a] ?? NaN) - (sigma[b] ?? NaN) || a - b,
    );
    for (const [to, from] of order.entries())
      ws.call.copyRows(1, n, VT.at + 8 * from * n, n, rows.at + 8 * to * n, n);
    return Float64Array.from(order, (i) => (sigma[i] ?? NaN) ** 2 + shift);
  });
  return { values, rows };
}

/** Eigenvalues of a symmetric block, ascending; it is destroyed. */
export async function symmetricValues(ws: Workspace, S: Block): Promise<Float64Array<ArrayBuffer>> {
  const factor = normalise(ws, S);
  const T = await ws.scoped(() => tridiagonalise(ws, S, false));
  const values = await tridiagonalValues(ws, T.diagonal, T.offDiagonal);
  return values.map((value) => value * factor);
}

/** Eigenvalues and eigenvectors of a symmetric block, which is destroyed. */
export async function symmetricVectors(ws: Workspace, S: Block): Promise<EigenBlocks> {
  const factor = normalise(ws, S);
  const T = await tridiagonalise(ws, S, true);
  const { values, rows } = await tridiagonalVectors(ws, T.diagonal, T.offDiagonal);
  await applyQTransposedRight(ws, T.Q, rows);
  return { values: values.map((value) => value * factor), rows };
}
