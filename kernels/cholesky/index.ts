/** @file Blocked Cholesky factorisation, and triangular systems with many right-hand sides. */
import { part, transposed, type Block, type Workspace } from "../linalg/workspace.ts";

const blockSize = 48;

/** A wide panel is reached by one product, which reads the columns before it once; it pays where they are many. */
const widePanel = 192;
const manyColumns = 1024;

/**
 * A = L Lᵀ in place; the lower triangle of A is read, zeros are left above L. Returns the first
 * index at which the leading minor is not positive definite, or −1. Left-looking: block column j is
 * A_{j:, j} − L_{j:, <j} L_{j, <j}ᵀ, its block on the diagonal is factorised, the rows below solved.
 */
export async function factorCholesky(ws: Workspace, A: Block): Promise<number> {
  const n = A.rows;
  const panel = n < manyColumns ? blockSize : widePanel;
  for (let first = 0; first < n; first += panel) {
    const end = Math.min(n, first + panel);
    await less(ws, A, [0, first], [first, end]);
    for (let j = first; j < end; j += blockSize) {
      const next = Math.min(end, j + blockSize);
      await less(ws, A, [first, j], [j, next]);
      const bad = await factorBlock(ws, A, j, next - j);
      if (bad >= 0) return bad;
    }
  }
  return -1;
}

/** Takes off the columns [j, end), from row j on, what the finished columns [from, to) have in them. */
async function less(
  ws: Workspace,
  A: Block,
  [from, to]: readonly [number, number],
  [j, end]: readonly [number, number],
): Promise<void> {
  const left = part(A, j, from, A.rows - j, to - from);
  const right = transposed(part(A, j, from, end - j, to - from));
  await ws.multiply(-1, left, right, part(A, j, j, A.rows - j, end - j));
}

/** L of the block column at j, of which everything before it was taken off. */
async function factorBlock(ws: Workspace, A: Block, j: number, width: number): Promise<number> {
  const n = A.rows;
  const corner = part(A, j, j, width, width);
  const bad = ws.call.choleskyBlock(width, corner.at, A.rowStep);
  if (bad >= 0) return j + bad;
  const below = part(A, j + width, j, n - j - width, width);
  await ws.scoped(async () => {
    // X Lᵀ = B is L Xᵀ = Bᵀ: the rows of Xᵀ are contiguous and long.
    const turned = ws.take(width, below.rows);
    ws.call.transpose(below.rows, width, below.at, A.rowStep, turned.at, below.rows);
    ws.call.solveBlock(
      ...[width, below.rows, corner.at, A.rowStep, 1, 0, 0, turned.at, below.rows],
    );
    ws.call.transpose(width, below.rows, turned.at, below.rows, below.at, A.rowStep);
    await Promise.resolve();
  });
  ws.fill(part(A, 0, j, j, width), 0);
  for (let i = 0; i < width; i++) ws.fill(part(A, j + i, j + i + 1, 1, width - i - 1), 0);
  return -1;
}

/** Which triangle a matrix is, and whether ones stand on its diagonal instead of what is stored. */
export interface Triangle {
  readonly upper: boolean;
  readonly unit?: boolean;
}

/** X of T X = B in the place of B, block by block. Pass `transposed(T)` for Tᵀ, with `upper` turned round. */
export async function solveTriangular(
  ws: Workspace,
  T: Block,
  { upper, unit = false }: Triangle,
  B: Block,
): Promise<void> {
  const n = T.rows;
  const blocks = Math.ceil(n / blockSize);
  for (let step = 0; step < blocks; step++) {
    const j = blockSize * (upper ? blocks - 1 - step : step);
    const width = Math.min(blockSize, n - j);
    const own = part(B, j, 0, width, B.columns);
    const known = upper ? ([j + width, n - j - width] as const) : ([0, j] as const);
    const [first, count] = known;
    await ws.multiply(
      -1,
      part(T, j, first, width, count),
      part(B, first, 0, count, B.columns),
      own,
    );
    const corner = part(T, j, j, width, width);
    ws.call.solveBlock(
      ...[width, B.columns, corner.at, T.rowStep, T.columnStep],
      ...[Number(upper), Number(unit), own.at, B.rowStep],
    );
  }
}
