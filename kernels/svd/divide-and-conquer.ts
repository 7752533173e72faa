/** @file Singular vectors of an upper bidiagonal matrix by divide and conquer. */
import { item } from "../linalg/matrix.ts";
import { address, part, type Block, type Workspace } from "../linalg/workspace.ts";

/** B = Uᵀᵀ diag(values) Vᵀ with the rows of UT and VT as singular vectors, in no order. */
export interface BidiagonalVectors {
  readonly values: Float64Array<ArrayBuffer>;
  /** [n, n]; undefined where it was not asked for. */
  readonly UT: Block | undefined;
  readonly VT: Block;
}

const leafSize = 24;
const eps = 2 ** -53;

/**
 * Gu and Eisenstat (1995): B is cut at a row, B = [B₁ 0; α e_lastᵀ  β e_firstᵀ; 0 B₂]; with the SVDs
 * of B₁ and B₂ it becomes an arrow matrix with the diagonal (0, d) and one full row z, whose singular
 * values are the roots of 1 + Σ z² / (d² − ω²) = 0. Entries of z and differences of d below
 * 16 · 2⁻⁵³ ‖B‖ are taken as zero. Error of a value: a small multiple of 2⁻⁵³ ‖B‖; vectors orthogonal
 * to as much. The largest entry of the input should be of the order of one.
 */
export async function bidiagonalVectors(
  ws: Workspace,
  diagonal: Float64Array,
  superdiagonal: Float64Array,
  wantLeft: boolean,
): Promise<BidiagonalVectors> {
  const n = diagonal.length;
  const values = Float64Array.from(diagonal);
  const UT = wantLeft ? ws.zeros(n, n) : undefined;
  const VT = ws.zeros(n, n);
  const norm = Math.max(0, ...diagonal.map(Math.abs), ...superdiagonal.map(Math.abs));
  if (norm === 0)
    for (const block of [UT, VT])
      for (let i = 0; block !== undefined && i < n; i++) ws.fill(part(block, i, i, 1, 1), 1);
  else
    await ws.scoped(async () => {
      const square = () => ws.take(n > leafSize ? n : 0, n);
      const task: Task = {
        ...{ ws, d: values, e: superdiagonal, UT, VT, tolerance: 16 * eps * norm },
        scratch: { rows: square(), gaps: square(), coreV: square(), coreU: square() },
      };
      await solve(task, 0, n, false);
    });
  return { values, UT, VT };
}

/** The singular values alone, ascending; the input is kept. */
export function bidiagonalValues(
  ws: Workspace,
  diagonal: Float64Array,
  superdiagonal: Float64Array,
): Promise<Float64Array<ArrayBuffer>> {
  return ws.scoped(() => {
    const n = diagonal.length;
    const d = ws.take(1, n);
    const e = ws.zeros(1, n);
    ws.view(d).set(diagonal);
    ws.view(e).set(superdiagonal);
    if (ws.call.bidiagonalQr(n, 0, d.at, e.at, 0, 0, 0, 0, 0, 0) !== 0) throw notConverged();
    return Promise.resolve(ws.view(d).slice().sort());
  });
}

interface Task {
  readonly ws: Workspace;
  readonly d: Float64Array<ArrayBuffer>;
  readonly e: Float64Array;
  readonly UT: Block | undefined;
  readonly VT: Block;
  /** What counts as zero. */
  readonly tolerance: number;
  readonly scratch: Readonly<Record<"rows" | "gaps" | "coreV" | "coreU", Block>>;
}

/** Rows [first, first + count) of B, with one column more than rows where `extra`. Vectors take the same rows and columns. */
async function solve(task: Task, first: number, count: number, extra: boolean): Promise<void> {
  if (count <= leafSize) {
    await solveLeaf(task, first, count, extra);
    return;
  }
  const middle = first + Math.floor(count / 2);
  await solve(task, first, middle - first, true);
  await solve(task, middle + 1, first + count - middle - 1, extra);
  await merge(task, first, count, middle, extra);
}

function solveLeaf({ ws, d, e, UT, VT }: Task, first: number, count: number, extra: boolean) {
  return ws.scoped(() => {
    const width = count + Number(extra);
    const diagonal = ws.take(1, count);
    const above = ws.zeros(1, count);
    ws.view(diagonal).set(d.subarray(first, first + count));
    ws.view(above).set(e.subarray(first, first + width - 1));
    const [u, v] = [UT, VT].map((block, side) => {
      const size = side === 0 ? count : width;
      for (let i = 0; block !== undefined && i < size; i++)
        ws.fill(part(block, first + i, first + i, 1, 1), 1);
      return block === undefined ? [0, 0, 0] : [address(block, first, first), size, block.rowStep];
    });
    const failed = ws.call.bidiagonalQr(
      ...[count, Number(extra), diagonal.at, above.at, ...(u ?? []), ...(v ?? [])],
    );
    if (failed !== 0) throw notConverged();
    d.set(ws.view(diagonal), first);
    return Promise.resolve();
  });
}

function notConverged(): RangeError {
  return new RangeError("The singular values of a bidiagonal matrix were not found.");
}

/** A pole of the secular equation: its row among the vectors, and in which columns that row is not zero. */
interface Pole {
  d: number;
  z: number;
  readonly row: number;
  side: "left" | "both" | "right";
}

async function merge(
  task: Task,
  first: number,
  count: number,
  middle: number,
  extra: boolean,
): Promise<void> {
  const { ws, d, VT } = task;
  const width = count + Number(extra);
  const { kept, deflated } = findPoles(task, first, count, middle, extra);
  const size = kept.length;

  // Within the products, rows that are zero right of the middle come first, those zero left of it last.
  const rank = { left: 0, both: 1, right: 2 } as const;
  const order = kept
    .map((_, j) => j)
    .sort((a, b) => rank[item(kept, a).side] - rank[item(kept, b).side] || a - b);
  const lefts = kept.filter(({ side }) => side === "left").length;
  const rights = kept.filter(({ side }) => side === "right").length;

  const values = await ws.scoped(async () => {
    const [poles, z, place] = [ws.take(1, size), ws.take(1, size), ws.take(1, size)];
    ws.view(poles).set(kept.map((pole) => pole.d));
    ws.view(z).set(kept.map((pole) => pole.z));
    const places = ws.view(place);
    new Uint32Array(places.buffer, places.byteOffset, size).set(inverse(order));
    const { gaps, coreV, coreU, rows } = task.scratch;
    const roots = kept.map((_, i) =>
      ws.call.secularRoot(i, size, poles.at, z.at, gaps.at + 8 * i * size),
    );
    ws.call.lowner(size, poles.at, gaps.at, size, z.at);
    const wantLeft = task.UT !== undefined;
    ws.call.arrowVectors(
      ...[size, poles.at, gaps.at, size, z.at, place.at, coreV.at, wantLeft ? coreU.at : 0],
    );

    // New vectors = core · old vectors, in two halves of columns.
    for (const [block, core, columns, split] of [
      [VT, coreV, width, middle + 1 - first],
      [task.UT, coreU, count, middle - first],
    ] as const) {
      if (block === undefined) continue;
      const old = { ...rows, rows: count, columns, rowStep: columns };
      const sources = [...order.map((j) => item(kept, j).row), ...deflated.map(({ row }) => row)];
      for (const [to, from] of sources.entries())
        ws.call.copyRows(
          1,
          columns,
          address(block, from, first),
          columns,
          address(old, to, 0),
          columns,
        );
      const moved = count - size;
      const target = part(block, first, first, size, columns);
      const K = { ...core, rows: size, columns: size, rowStep: size };
      ws.fill(target, 0);
      for (const [from, rowCount, column, columnCount] of [
        [0, size - rights, 0, split],
        [lefts, size - lefts, split, columns - split],
      ] as const)
        await ws.multiply(
          1,
          part(K, 0, from, size, rowCount),
          part(old, from, column, rowCount, columnCount),
          part(target, 0, column, size, columnCount),
        );
      ws.call.copyRows(
        ...[moved, columns, address(old, size, 0), columns],
        ...[address(block, first + size, first), block.rowStep],
      );
    }
    return roots;
  });
  d.set(values, first);
  d.set(
    deflated.map((pole) => pole.d),
    first + size,
  );
}

function inverse(order: readonly number[]): number[] {
  const out = order.map(() => 0);
  for (const [to, from] of order.entries()) out[from] = to;
  return out;
}

/** The first row z of the arrow matrix with its diagonal, ascending, and what needs no further work. */
function findPoles(
  { ws, d, e, UT, VT, tolerance }: Task,
  ...[first, count, middle, extra]: readonly [number, number, number, boolean]
): { readonly kept: readonly Pole[]; readonly deflated: readonly Pole[] } {
  const end = first + count;
  const width = count + Number(extra);
  const [alpha, beta] = [d[middle] ?? NaN, e[middle] ?? NaN];
  const v = ws.view(VT);
  const entry = (row: number, column: number) => v[row * VT.rowStep + column] ?? NaN;

  // The last column of B₁ and, where there is one, of B₂ are turned into one; what is left over is the null vector.
  let z0 = alpha * entry(middle, middle);
  if (extra) {
    const other = beta * entry(end, middle + 1);
    const length = Math.hypot(z0, other);
    if (length > 0)
      ws.call.rotate(
        ...[
          width,
          address(VT, middle, first),
          address(VT, end, first),
          z0 / length,
          other / length,
        ],
      );
    z0 = length;
  }
  const poles: Pole[] = [];
  for (let row = first; row < end; row++)
    if (row < middle)
      poles.push({ d: d[row] ?? NaN, z: alpha * entry(row, middle), row, side: "left" });
    else if (row > middle)
      poles.push({ d: d[row] ?? NaN, z: beta * entry(row, middle + 1), row, side: "right" });
  poles.sort((a, b) => a.d - b.d || a.row - b.row);

  if (Math.abs(z0) <= tolerance) z0 = z0 < 0 ? -tolerance : tolerance;
  const kept: Pole[] = [{ d: 0, z: z0, row: middle, side: "both" }];
  const deflated: Pole[] = [];
  let pending: Pole | undefined;
  for (const pole of poles) {
    if (Math.abs(pole.z) <= tolerance) {
      deflated.push(pole);
      continue;
    }
    if (pending !== undefined && pole.d - pending.d <= tolerance) {
      // Equal poles: a rotation of their vectors makes one entry of z zero.
      const length = Math.hypot(pole.z, pending.z);
      const [c, s] = [pole.z / length, -pending.z / length];
      const [x, y] = [pending.row, pole.row];
      ws.call.rotate(width, address(VT, x, first), address(VT, y, first), c, s);
      if (UT !== undefined)
        ws.call.rotate(count, address(UT, x, first), address(UT, y, first), c, s);
      pole.z = length;
      if (pole.side !== pending.side) pole.side = "both";
      deflated.push(pending);
    } else if (pending !== undefined) kept.push(pending);
    pending = pole;
  }
  if (pending !== undefined) kept.push(pending);
  if (kept.length > 1 && item(kept, 1).d <= tolerance / 2) item(kept, 1).d = tolerance / 2;
  // The middle row of B is its own left vector.
  if (UT !== undefined) ws.fill(part(UT, middle, middle, 1, 1), 1);
  return { kept, deflated };
}
