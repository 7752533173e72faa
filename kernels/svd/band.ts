/** @file Reduction of a large matrix to bidiagonal form in two stages, for singular values alone: nearly all of it is products. */
import { reduceStep } from "../qr/index.ts";
import { address, part, transposed, type Block, type Workspace } from "../linalg/workspace.ts";
import type { Bidiagonal } from "./bidiagonalise.ts";

/** Diagonals over the main one that the first stage leaves. */
const bandwidth = 32;

/**
 * Großer, Lang (1999): panels of columns are reduced from the left and panels of rows from the right
 * until a band is left, with products alone; then the band is chased down to two diagonals in
 * O(n² bandwidth). A, with at least as many rows as columns, is destroyed.
 */
export async function bandBidiagonal(
  ws: Workspace,
  A: Block,
): Promise<Pick<Bidiagonal, "diagonal" | "superdiagonal">> {
  const n = A.columns;
  for (let j = 0; j < n; j += bandwidth) {
    const width = Math.min(bandwidth, n - j);
    await ws.scoped(() => reduceStep(ws, A, j, width));
    const [right, rows] = [j + width, A.rows - j - width];
    if (right >= n) break;
    // The same from the right: A ← A Q for the rows of the panel, Aᵀ being reduced to R.
    await ws.scoped(async () => {
      const turned = ws.take(n - right, width);
      const strip = part(A, j, right, width, n - right);
      ws.call.transpose(width, n - right, strip.at, A.rowStep, turned.at, width);
      const { V, T } = await reduceStep(ws, turned, 0, Math.min(width, n - right));
      ws.call.transpose(n - right, width, turned.at, width, strip.at, A.rowStep);
      const rest = part(A, right, right, rows, n - right);
      const W = ws.zeros(rows, V.columns);
      const WT = ws.zeros(rows, V.columns);
      await ws.multiply(1, rest, V, W);
      await ws.multiply(1, W, T, WT);
      await ws.multiply(-1, WT, transposed(V), rest);
    });
  }
  return ws.scoped(() => {
    const room = 3 * bandwidth;
    const band = ws.zeros(1, (room + 1) * n + room);
    const [d, e, work] = [ws.zeros(1, n), ws.zeros(1, n), ws.take(4, bandwidth)];
    for (let i = 0; i < n; i++) {
      const count = Math.min(bandwidth + 1, n - i);
      const to = band.at + 8 * (room * i + i + bandwidth);
      ws.call.copyRows(1, count, address(A, i, i), count, to, count);
    }
    ws.call.bandToBidiagonal(n, bandwidth, band.at, d.at, e.at, work.at);
    return Promise.resolve({
      diagonal: ws.view(d).slice(),
      superdiagonal: ws.view(e).slice(0, Math.max(0, n - 1)),
    });
  });
}
