/** @file Blocked reduction of a matrix with at least as many rows as columns to upper bidiagonal form. */
import { reflect, triangular, type Reflectors } from "../qr/index.ts";
import { address, part, transposed, type Block, type Workspace } from "../linalg/workspace.ts";

/** A = Q B Pᵀ; Q and P as products of the blocks of reflectors, first to last. */
export interface Bidiagonal {
  /** [n] */
  readonly diagonal: Float64Array<ArrayBuffer>;
  /** [n − 1]: above the diagonal. */
  readonly superdiagonal: Float64Array<ArrayBuffer>;
  readonly left: readonly Reflectors[];
  readonly right: readonly Reflectors[];
}

const panelColumns = 32;

/**
 * A is destroyed. Half of the work is products of matrices, the other half reads what is left of A
 * twice a column (Dongarra, Sorensen and Hammarling 1989): within a panel A is never changed but
 * stands for A − V Yᵀ − X U, where column i of V and row i of U are the reflectors so far and
 *   y_i = tau (Aᵀ v − Y (Vᵀ v) − Uᵀ (Xᵀ v)),   x_i = pi (A u − V (Yᵀ u) − X (U u)).
 */
export async function bidiagonalise(
  ws: Workspace,
  A: Block,
  vectors: boolean,
): Promise<Bidiagonal> {
  const n = A.columns;
  const diagonal = new Float64Array(n);
  const superdiagonal = new Float64Array(Math.max(0, n - 1));
  const left: Reflectors[] = [];
  const right: Reflectors[] = [];
  for (let first = 0; first < n; first += panelColumns) {
    const width = Math.min(panelColumns, n - first);
    const [M, N] = [A.rows - first, n - first];
    const kept = vectors ? panelBlocks(ws, M, N, width) : undefined;
    await ws.scoped(async () => {
      const { V, U, TV, TU } = kept ?? panelBlocks(ws, M, N, width);
      const X = ws.take(M, width);
      const Y = ws.take(N, width);
      const tau = ws.zeros(2, width);
      const rest = part(A, first, first, M, N);
      reducePanel(ws, rest, { V, U, X, Y, tau }, (i, d, e) => {
        diagonal[first + i] = d;
        if (first + i < n - 1) superdiagonal[first + i] = e;
      });
      const [m2, n2] = [M - width, N - width];
      const trailing = part(rest, width, width, m2, n2);
      await ws.multiply(
        -1,
        part(V, width, 0, m2, width),
        transposed(part(Y, width, 0, n2, width)),
        trailing,
      );
      await ws.multiply(-1, part(X, width, 0, m2, width), part(U, 0, width, width, n2), trailing);
      if (!vectors) return;
      await triangular(ws, V, part(tau, 0, 0, 1, width), TV);
      await triangular(ws, transposed(U), part(tau, 1, 0, 1, width), TU);
    });
    if (kept === undefined) continue;
    left.push({ first, V: kept.V, T: kept.TV });
    right.push({ first, V: transposed(kept.U), T: kept.TU });
  }
  return { diagonal, superdiagonal, left, right };
}

function panelBlocks(ws: Workspace, M: number, N: number, width: number) {
  const [V, U] = [ws.zeros(M, width), ws.zeros(width, N)];
  return { V, U, TV: ws.zeros(width, width), TU: ws.zeros(width, width) };
}

interface Panel {
  /** [M, b] and [b, N]: left reflectors as columns, right ones as rows. */
  readonly V: Block;
  readonly U: Block;
  /** [M, b] and [N, b] */
  readonly X: Block;
  readonly Y: Block;
  /** [2, b]: of the left, of the right. */
  readonly tau: Block;
}

function reducePanel(
  ws: Workspace,
  A: Block,
  { V, U, X, Y, tau }: Panel,
  found: (i: number, d: number, e: number) => void,
): void {
  const { call } = ws;
  const { rows: M, columns: N } = A;
  const b = V.columns;
  const column = ws.take(1, M);
  const row = ws.take(1, N);
  const t = ws.take(1, b);
  /** t = Bᵀ x for a panel B of `count` rows. */
  const project = (B: number, rows: number, columns: number, step: number, x: number): number => {
    ws.view(t).fill(0);
    call.gemvT(rows, columns, 1, B, step, x, t.at);
    return t.at;
  };
  for (let i = 0; i < b; i++) {
    const [height, length] = [M - i, N - i - 1];
    call.copy(height, address(A, i, i), A.rowStep, column.at, 1);
    if (i > 0) {
      call.gemv(height, i, -1, address(V, i, 0), b, address(Y, i, 0), column.at);
      call.copy(i, address(U, 0, i), N, t.at, 1);
      call.gemv(height, i, -1, address(X, i, 0), b, t.at, column.at);
    }
    const [d, tauLeft] = reflect(ws, column.at, height, tau, i);
    call.copy(height, column.at, 1, address(V, i, i), b);
    if (length === 0) {
      found(i, d, 0);
      continue;
    }
    const v = column.at;
    const right = address(A, i, i + 1);
    ws.view(row).fill(0);
    call.gemvT(height, length, 1, right, A.rowStep, v, row.at);
    if (i > 0) {
      project(address(V, i, 0), height, i, b, v);
      call.gemv(length, i, -1, address(Y, i + 1, 0), b, t.at, row.at);
      project(address(X, i, 0), height, i, b, v);
      call.gemvT(i, length, -1, address(U, 0, i + 1), N, t.at, row.at);
    }
    call.scale(length, tauLeft, row.at);
    call.copy(length, row.at, 1, address(Y, i + 1, i), b);

    call.copy(length, right, 1, row.at, 1);
    call.gemv(length, i + 1, -1, address(Y, i + 1, 0), b, address(V, i, 0), row.at);
    if (i > 0) call.gemvT(i, length, -1, address(U, 0, i + 1), N, address(X, i, 0), row.at);
    const [e, tauRight] = reflect(ws, row.at, length, tau, b + i);
    call.copy(length, row.at, 1, address(U, i, i + 1), 1);
    found(i, d, e);
    if (height === 1) continue;
    const u = row.at;
    ws.view(column).fill(0);
    call.gemv(height - 1, length, 1, address(A, i + 1, i + 1), A.rowStep, u, column.at);
    project(address(Y, i + 1, 0), length, i + 1, b, u);
    call.gemv(height - 1, i + 1, -1, address(V, i + 1, 0), b, t.at, column.at);
    if (i > 0) {
      ws.view(t).fill(0);
      call.gemv(i, length, 1, address(U, 0, i + 1), N, u, t.at);
      call.gemv(height - 1, i, -1, address(X, i + 1, 0), b, t.at, column.at);
    }
    call.scale(height - 1, tauRight, column.at);
    call.copy(height - 1, column.at, 1, address(X, i + 1, i), b);
  }
}
