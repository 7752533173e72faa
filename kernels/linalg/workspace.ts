/** @file The memory that the linear algebra kernels share: blocks are taken from it like from a stack, products are made in it. */
import { instantiateGrowing } from "../wasm.ts";
import { checkShape, type Data, type Gemm, type Matrix } from "./matrix.ts";

/** A float64 matrix in the workspace. Steps count elements; `at` is a byte address. */
export interface Block {
  readonly at: number;
  readonly rows: number;
  readonly columns: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

const functionNames = [
  ...["firstNotFinite", "largest", "dot", "axpy", "scale", "gemv", "gemvT", "symv", "copy"],
  ...["copyRows", "transpose", "swap", "rotate", "reflector", "qrPanel", "triangularFactor"],
  ...["luPanel", "choleskyBlock", "solveBlock", "bidiagonalQr", "secularRoot", "lowner"],
  ...["arrowVectors", "gemm64", "gemm32", "factorSymmetric", "assign", "bandToBidiagonal"],
] as const;

type FunctionName = (typeof functionNames)[number];

/** What the kernels' steps work with. */
export interface Workspace {
  /** The functions of the module. */
  readonly call: Readonly<Record<FunctionName, (...operands: number[]) => number>>;
  /** A contiguous block of what happens to be there; RangeError beyond the memory's limit. */
  take(rows: number, columns: number): Block;
  /** A contiguous block of zeros. */
  zeros(rows: number, columns: number): Block;
  /** The elements of a contiguous block; void after the next `take`. */
  view(block: Block): Float64Array<ArrayBuffer>;
  fill(block: Block, value: number): void;
  /** C += alpha A B; C has contiguous rows. */
  multiply(alpha: number, a: Block, b: Block, c: Block): Promise<void> | void;
  /** The native float32 product, for callers' matrices. */
  multiply32(
    a: Matrix<Float32Array>,
    b: Matrix<Float32Array>,
    how: { readonly transposeA: boolean; readonly transposeB: boolean },
  ): Float32Array<ArrayBuffer>;
  /** Brings a matrix in, or its transpose; RangeError for wrong sizes, NaN and infinity. */
  load(what: string, matrix: Matrix<Data>, transposed?: boolean): Block;
  /** A copy of a block of any steps. */
  read(block: Block): Float64Array<ArrayBuffer>;
  /** Runs `work` and gives back what it took. */
  scoped<T>(work: () => Promise<T>): Promise<T>;
}

export interface WorkspaceOptions {
  /** Where the memory ends, in bytes. */
  readonly maxBytes: number;
  /** Makes large products; WebAssembly does where it is not given. */
  readonly gemm?: Gemm | undefined;
}

/** Products of fewer multiplications are made here: handing them over would cost more. */
const handOver = 2 ** 21;

/** Elements that packed panels of a product and one tile take. */
const packedElements = (96 + 1024) * 256 + 64;

export function createWorkspace(wasm: Uint8Array, { maxBytes, gemm }: WorkspaceOptions): Workspace {
  const kernel = instantiateGrowing(wasm, maxBytes);
  const call = bind(kernel.fn);
  // Address 0 stays free: a pointer of 0 means "none".
  const packed = 64;
  let top = packed + 8 * packedElements;
  let floats = new Float64Array(kernel.memory);

  function take(rows: number, columns: number): Block {
    const at = top;
    const end = at + Math.ceil((rows * columns) / 8) * 64;
    if (end > floats.byteLength) {
      kernel.reserve(end);
      floats = new Float64Array(kernel.memory, 0, Math.floor(kernel.memory.byteLength / 8));
    }
    top = end;
    return { at, rows, columns, rowStep: columns, columnStep: 1 };
  }
  function view(block: Block): Float64Array<ArrayBuffer> {
    return floats.subarray(block.at / 8, block.at / 8 + block.rows * block.columns);
  }
  function fill(block: Block, value: number): void {
    for (let i = 0; i < block.rows; i++) {
      const from = block.at / 8 + i * block.rowStep;
      floats.fill(value, from, from + block.columns);
    }
  }
  function contiguous(block: Block): Block {
    const { rows, columns, at, rowStep, columnStep } = block;
    if (columnStep === 1 && rowStep === columns) return block;
    const out = take(rows, columns);
    if (columnStep === 1) call.copyRows(rows, columns, at, rowStep, out.at, columns);
    else if (rowStep === 1) call.transpose(columns, rows, at, columnStep, out.at, columns);
    else
      for (let i = 0; i < rows; i++)
        call.copy(columns, at + 8 * i * rowStep, columnStep, out.at + 8 * i * columns, 1);
    return out;
  }
  async function multiplyElsewhere(
    product: Gemm,
    ...[alpha, a, b, c]: readonly [number, Block, Block, Block]
  ): Promise<void> {
    const mark = top;
    const operands = [contiguous(a), contiguous(b)] as const;
    const place = take(c.rows, c.columns);
    const [left, right] = operands.map((block) => ({ ...block, data: view(block) }));
    if (left === undefined || right === undefined) return;
    const result = await product(left, right, view(place));
    top = mark;
    checkShape("A product made elsewhere", result);
    if (result.rows !== c.rows || result.columns !== c.columns)
      throw new RangeError(
        `A product made elsewhere has ${result.rows} × ${result.columns} elements, not ${c.rows} × ${c.columns}.`,
      );
    if (result.data.buffer !== floats.buffer) view(place).set(result.data);
    for (let i = 0; i < c.rows; i++)
      call.axpy(c.columns, alpha, place.at + 8 * i * c.columns, c.at + 8 * i * c.rowStep);
  }

  return {
    call,
    take,
    view,
    fill,
    zeros: (rows, columns) => {
      const block = take(rows, columns);
      fill(block, 0);
      return block;
    },
    multiply: (alpha, a, b, c) => {
      if (a.columns === 0 || c.rows === 0 || c.columns === 0) return;
      if (gemm !== undefined && c.rows * c.columns * a.columns >= handOver)
        return multiplyElsewhere(gemm, alpha, a, b, c);
      call.gemm64(
        ...[c.rows, c.columns, a.columns, alpha, a.at, a.rowStep, a.columnStep],
        ...[b.at, b.rowStep, b.columnStep, c.at, c.rowStep, packed],
      );
    },
    multiply32: (a, b, { transposeA, transposeB }) => {
      const mark = top;
      const m = transposeA ? a.columns : a.rows;
      const k = transposeA ? a.rows : a.columns;
      const n = transposeB ? b.rows : b.columns;
      // Two float32 take the place of one float64.
      const place = (count: number) => take(1, Math.ceil(count / 2));
      const [x, y, z] = [place(a.data.length), place(b.data.length), place(m * n)] as const;
      const singles = new Float32Array(kernel.memory);
      singles.set(a.data, x.at / 4);
      singles.set(b.data, y.at / 4);
      singles.fill(0, z.at / 4, z.at / 4 + m * n);
      const steps = (columns: number, turned: boolean) => (turned ? [1, columns] : [columns, 1]);
      call.gemm32(
        ...[m, n, k, 1, x.at, ...steps(a.columns, transposeA)],
        ...[y.at, ...steps(b.columns, transposeB), z.at, n, packed],
      );
      top = mark;
      return singles.slice(z.at / 4, z.at / 4 + m * n);
    },
    load: (what, matrix, turned = false) => {
      checkShape(what, matrix);
      const { rows, columns, data } = matrix;
      const straight = turned ? take(columns, rows) : undefined;
      const mark = top;
      const block = take(rows, columns);
      view(block).set(data);
      const bad = call.firstNotFinite(block.at, data.length);
      if (bad >= 0)
        throw new RangeError(
          `${what}: the element [${Math.floor(bad / columns)}, ${bad % columns}] is ${data[bad]}, not a finite number.`,
        );
      if (straight === undefined) return block;
      call.transpose(rows, columns, block.at, columns, straight.at, rows);
      top = mark;
      return straight;
    },
    read: (block) => {
      const mark = top;
      const out = view(contiguous(block)).slice();
      top = mark;
      return out;
    },
    scoped: async (work) => {
      const mark = top;
      try {
        return await work();
      } finally {
        top = mark;
      }
    },
  };
}

function bind(fn: (name: string) => (...operands: number[]) => number): Workspace["call"] {
  const table: Partial<Record<FunctionName, (...operands: number[]) => number>> = {};
  for (const name of functionNames) table[name] = fn(name);
  const complete = (value: typeof table): value is Workspace["call"] =>
    functionNames.every((name) => value[name] !== undefined);
  if (!complete(table)) throw new TypeError("The module lacks a function.");
  return table;
}

/** Bᵀ without moving anything. */
export function transposed({ at, rows, columns, rowStep, columnStep }: Block): Block {
  return { at, rows: columns, columns: rows, rowStep: columnStep, columnStep: rowStep };
}

/** Rows [i, i + rows) and columns [j, j + columns) of a block. */
export function part(block: Block, i: number, j: number, rows: number, columns: number): Block {
  return { ...block, at: address(block, i, j), rows, columns };
}

/** The byte address of element (i, j). */
export function address({ at, rowStep, columnStep }: Block, i: number, j: number): number {
  return at + 8 * (i * rowStep + j * columnStep);
}

/** A power of two that brings the largest magnitude of a contiguous block to [1, 2), multiplied in; 1 for zeros. */
export function normalise(ws: Workspace, block: Block): number {
  const count = block.rows * block.columns;
  const top = ws.call.largest(block.at, count);
  if (top === 0) return 1;
  const exponent = Math.max(-1000, Math.min(1000, Math.floor(Math.log2(top))));
  if (exponent === 0) return 1;
  ws.call.scale(count, 2 ** -exponent, block.at);
  return 2 ** exponent;
}
