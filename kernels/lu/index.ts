/** @file Blocked LU factorisation with partial pivoting. */
import { address, part, type Block, type Workspace } from "../linalg/workspace.ts";

const panelColumns = 32;

/**
 * P A = L U in place: U on and above the diagonal, L (ones on its diagonal) below. Returns the
 * permutation: row i of P A is row `permutation[i]` of A. Of equally large candidates the upper wins.
 * A column without a pivot leaves a zero in U.
 */
export async function factorLu(ws: Workspace, A: Block): Promise<Int32Array<ArrayBuffer>> {
  const steps = Math.min(A.rows, A.columns);
  const permutation = Int32Array.from({ length: A.rows }, (_, i) => i);
  for (let j = 0; j < steps; j += panelColumns) {
    const width = Math.min(panelColumns, steps - j);
    await ws.scoped(async () => {
      const height = A.rows - j;
      const panel = ws.take(height, width);
      const pivots = ws.take(1, width);
      const own = part(A, j, j, height, width);
      ws.call.copyRows(height, width, own.at, A.rowStep, panel.at, width);
      ws.call.luPanel(height, width, panel.at, width, pivots.at);
      ws.call.copyRows(height, width, panel.at, width, own.at, A.rowStep);
      const view = ws.view(pivots);
      const chosen = new Int32Array(view.buffer, view.byteOffset, width).slice();
      const right = j + width;
      for (const [i, pick] of chosen.entries()) {
        if (pick === i) continue;
        const [upper, lower] = [j + i, j + pick];
        ws.call.swap(j, address(A, upper, 0), address(A, lower, 0));
        ws.call.swap(A.columns - right, address(A, upper, right), address(A, lower, right));
        [permutation[upper], permutation[lower]] = [
          permutation[lower] ?? NaN,
          permutation[upper] ?? NaN,
        ];
      }
      // U12 = L11⁻¹ A12;  A22 −= L21 U12.
      const U12 = part(A, j, right, width, A.columns - right);
      ws.call.solveBlock(width, U12.columns, own.at, A.rowStep, 1, 0, 1, U12.at, A.rowStep);
      const below = A.rows - right;
      const A22 = part(A, right, right, below, A.columns - right);
      await ws.multiply(-1, part(A, right, j, below, width), U12, A22);
    });
  }
  return permutation;
}
