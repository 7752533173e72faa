/** @file `createLinalg`: dense linear algebra in one WebAssembly memory, one call after the other. */
import { assignRows } from "../assignment/index.ts";
import { factorCholesky, solveTriangular } from "../cholesky/index.ts";
import {
  symmetricValues,
  symmetricVectors,
  tridiagonalValues,
  tridiagonalVectors,
  type EigenBlocks,
} from "../eigen/index.ts";
import { symmetricInertia, type Inertia } from "../inertia/index.ts";
import { factorLu } from "../lu/index.ts";
import { formQ, reduceToR } from "../qr/index.ts";
import { singularValues, thinSvd, turn, valuesOfBoth } from "../svd/index.ts";
import { checkFinite, checkShape, inTypeOf, type Data, type Gemm, type Matrix } from "./matrix.ts";
import {
  createWorkspace,
  normalise,
  part,
  transposed,
  type Block,
  type Workspace,
} from "./workspace.ts";

export type { Inertia } from "../inertia/index.ts";
export type { Data, Gemm, Matrix } from "./matrix.ts";

export interface LinalgOptions {
  /** Where the memory of all calls together ends, in bytes; 2 GiB where not given, at most 4 GiB. RangeError before it would be passed. `svd` of m × n, m ≥ n, takes about 8 (3 m n + 8 n²) bytes, what reads a matrix alone 8 (m n) and a little. */
  readonly maxBytes?: number;
  /** Makes large float64 products (ONNX Runtime, say); WebAssembly where not given. Results then are as reproducible as it is. */
  readonly gemm?: Gemm;
}

/**
 * Every function keeps its operands, and refuses NaN, infinities and wrong sizes with a RangeError
 * that names the place. Float32 matrices are computed with in float64 and the results rounded once;
 * `multiply` alone has a float32 of its own. Calls wait for each other; bytes depend on the input (and
 * a `gemm` of the caller's) alone. ε is 2⁻⁵³, ‖·‖ the spectral norm, m ≥ n the sizes of a matrix; the
 * bounds hold for entries of any scale, since matrices are first multiplied by a power of two.
 */
export interface Linalg {
  /** op(A) op(B). */
  multiply<D extends Data>(
    A: Matrix<D>,
    B: Matrix<D>,
    how?: { readonly transposeA?: boolean; readonly transposeB?: boolean },
  ): Promise<Matrix<D>>;
  /** A = Q R: Q [m, k] and R [k, n] upper triangular, k = min(m, n); signs of R's diagonal are free. ‖A − QR‖_F and ‖QᵀQ − I‖_F·‖A‖ ≤ 8 n ε ‖A‖_F. */
  qr<D extends Data>(A: Matrix<D>): Promise<{ readonly Q: Matrix<D>; readonly R: Matrix<D> }>;
  /** R of `qr` alone: a third of its work and none of its memory. */
  triangle<D extends Data>(A: Matrix<D>): Promise<Matrix<D>>;
  /** P A = L U: row i of P A is row permutation[i] of A; L [m, k] unit lower, |L_ij| ≤ 1, U [k, n]. ‖PA − LU‖_F ≤ 4 n ε ‖|L||U|‖_F. */
  lu<D extends Data>(A: Matrix<D>): Promise<LuFactors<D>>;
  /** A = L Lᵀ of a symmetric matrix, by its lower triangle. ‖A − LLᵀ‖_F ≤ 4 n ε ‖A‖_F. */
  cholesky<D extends Data>(A: Matrix<D>): Promise<Cholesky<D>>;
  /** Whether `cholesky` finds a factor, which is not handed over. */
  isPositiveDefinite(A: Matrix<Data>): Promise<boolean>;
  /** X of op(T) X = B; the other triangle is not read. RangeError for a zero on the diagonal. */
  solveTriangular<D extends Data>(
    T: Matrix<D>,
    how: TriangularSystem,
    B: Matrix<D>,
  ): Promise<Matrix<D>>;
  /** L⁻¹ B of A = L Lᵀ (lower triangle), so that its Gram matrix is Bᵀ A⁻¹ B; undefined where A has no factor. |B − L X| ≤ n ε |L||X|, element by element. */
  whiten<D extends Data>(A: Matrix<D>, B: Matrix<D>): Promise<Matrix<D> | undefined>;
  /** X of A X = B for a symmetric positive definite A (lower triangle); undefined where it is not. */
  solveSpd<D extends Data>(A: Matrix<D>, B: Matrix<D>): Promise<Matrix<D> | undefined>;
  /** (A + damping I)⁻¹, symmetric to the bit, of a symmetric A (lower triangle); undefined where that is not positive definite. */
  spdInverse<D extends Data>(A: Matrix<D>, damping: number): Promise<Matrix<D> | undefined>;
  /** Eigenvalues of a symmetric matrix (lower triangle), ascending. |error| ≤ 8 n ε ‖A‖_F. */
  eigenvalues<D extends Data>(A: Matrix<D>): Promise<D>;
  /** A = V diag(values) Vᵀ: columns of V [n, n] by ascending value. ‖AV − V diag‖_F ≤ 8 n ε ‖A‖_F, ‖VᵀV − I‖_F ≤ 8 n ε. */
  eigh<D extends Data>(A: Matrix<D>): Promise<{ readonly values: D; readonly V: Matrix<D> }>;
  /** The same for the symmetric tridiagonal matrix of a diagonal [n] and the n − 1 numbers beside it. */
  tridiagonalEigenvalues<D extends Data>(diagonal: D, offDiagonal: D): Promise<D>;
  tridiagonalEigh<D extends Data>(
    diagonal: D,
    offDiagonal: D,
  ): Promise<{ readonly values: D; readonly V: Matrix<D> }>;
  /** Signs of the eigenvalues of A − shift I (lower triangle). */
  inertia(A: Matrix<Data>, shift?: number): Promise<Inertia>;
  /** A = U diag(sigma) Vt: U [m, k], sigma [k] descending, Vt [k, n]. ‖A − U diag Vt‖_F ≤ 8 n ε ‖A‖_F, orthogonality ≤ 8 n ε. Below ε‖A‖ vectors are arbitrary. */
  svd<D extends Data>(A: Matrix<D>): Promise<Svd<D>>;
  /** The singular values alone, descending. |error| ≤ 8 n ε ‖A‖_F. */
  singularValues<D extends Data>(A: Matrix<D>): Promise<D>;
  /** Those of A and of A + L Rᵀ, L [m, r], R [n, r]; a long A is reduced once. |error| ≤ 8 n ε (‖A‖_F + ‖L Rᵀ‖_F). */
  singularValuesOfBoth(
    A: Matrix,
    L: Matrix,
    R: Matrix,
  ): Promise<{ readonly before: Float64Array; readonly after: Float64Array }>;
  /** The column of each row such that the sum of costs is least (greatest for `maximise`), each column at most once; rows ≤ columns. */
  assignment(cost: Matrix<Data>, maximise?: boolean): Promise<Int32Array<ArrayBuffer>>;
}

export interface LuFactors<D extends Data> {
  readonly L: Matrix<D>;
  readonly U: Matrix<D>;
  readonly permutation: Int32Array<ArrayBuffer>;
}

/** `index`: the first leading minor that is not positive definite. */
export type Cholesky<D extends Data> =
  | { readonly kind: "factor"; readonly L: Matrix<D> }
  | { readonly kind: "not-positive-definite"; readonly index: number };

export interface TriangularSystem {
  /** Which triangle of T is read, before any transposition. */
  readonly triangle: "lower" | "upper";
  readonly transposed?: boolean;
  /** Ones stand on the diagonal, whatever is stored there. */
  readonly unit?: boolean;
}

export interface Svd<D extends Data> {
  readonly U: Matrix<D>;
  readonly sigma: D;
  readonly Vt: Matrix<D>;
}

/** `wasm`: the bytes of `linalg.wasm`. */
export function createLinalg(
  wasm: Uint8Array,
  { maxBytes = 2 ** 31, gemm }: LinalgOptions = {},
): Linalg {
  const ws = createWorkspace(wasm, { maxBytes, gemm });
  let queue: Promise<unknown> = Promise.resolve();
  /** Runs `work` when the calls before it have ended; its memory is free again afterwards. */
  function run<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(() => ws.scoped(work));
    queue = result.catch(() => undefined);
    return result;
  }
  const out = <D extends Data>(like: Matrix<D>, block: Block): Matrix<D> => ({
    rows: block.rows,
    columns: block.columns,
    data: inTypeOf(like.data, ws.read(block)),
  });

  return {
    multiply: (A, B, how = {}) => run(() => multiply(ws, A, B, how)),
    qr: (A) =>
      run(async () => {
        const block = ws.load("qr", A);
        const k = Math.min(A.rows, A.columns);
        const factor = normalise(ws, block);
        const panels = await reduceToR(ws, block);
        const Q = await formQ(ws, panels, A.rows, k);
        if (factor !== 1) ws.call.scale(A.data.length, factor, block.at);
        return { Q: out(A, Q), R: out(A, part(block, 0, 0, k, A.columns)) };
      }),
    triangle: (A) =>
      run(async () => {
        const block = ws.load("triangle", A);
        const factor = normalise(ws, block);
        await reduceToR(ws, block);
        const R = part(block, 0, 0, Math.min(A.rows, A.columns), A.columns);
        if (factor !== 1) ws.call.scale(R.rows * R.columns, factor, block.at);
        return out(A, R);
      }),
    lu: (A) =>
      run(async () => {
        const block = ws.load("lu", A);
        const permutation = await factorLu(ws, block);
        return { ...splitLu(A, ws.read(block)), permutation };
      }),
    cholesky: (A) =>
      run(async () => {
        const block = loadSquare(ws, "cholesky", A);
        const index = await factorCholesky(ws, block);
        return index < 0
          ? ({ kind: "factor", L: out(A, block) } as const)
          : ({ kind: "not-positive-definite", index } as const);
      }),
    isPositiveDefinite: (A) =>
      run(async () => (await factorCholesky(ws, loadSquare(ws, "isPositiveDefinite", A))) < 0),
    solveTriangular: (T, { triangle, transposed: turned = false, unit = false }, B) =>
      run(async () => {
        const block = loadSquare(ws, "solveTriangular", T);
        const X = loadRight(ws, "solveTriangular", T, B);
        const zero = unit
          ? -1
          : ws.view(block).findIndex((x, i) => i % (T.rows + 1) === 0 && x === 0);
        if (zero >= 0)
          throw new RangeError(`solveTriangular: the diagonal is 0 in row ${zero / (T.rows + 1)}.`);
        const upper = (triangle === "upper") !== turned;
        await solveTriangular(ws, turned ? transposed(block) : block, { upper, unit }, X);
        return out(B, X);
      }),
    whiten: (A, B) =>
      run(async () => {
        const L = loadSquare(ws, "whiten", A);
        const X = loadRight(ws, "whiten", A, B);
        if ((await factorCholesky(ws, L)) >= 0) return undefined;
        await solveTriangular(ws, L, { upper: false }, X);
        return out(B, X);
      }),
    solveSpd: (A, B) =>
      run(async () => {
        const L = loadSquare(ws, "solveSpd", A);
        const X = loadRight(ws, "solveSpd", A, B);
        if ((await factorCholesky(ws, L)) >= 0) return undefined;
        await solveTriangular(ws, L, { upper: false }, X);
        await solveTriangular(ws, transposed(L), { upper: true }, X);
        return out(B, X);
      }),
    spdInverse: (A, damping) =>
      run(async () => {
        const L = loadSquare(ws, "spdInverse", A);
        if (!Number.isFinite(damping)) throw new RangeError(`spdInverse: a damping of ${damping}.`);
        const inverse = await invertSpd(ws, L, damping);
        return inverse === undefined ? undefined : out(A, inverse);
      }),
    eigenvalues: (A) =>
      run(async () => {
        const block = loadSymmetric(ws, "eigenvalues", A);
        return inTypeOf(A.data, await symmetricValues(ws, block));
      }),
    eigh: (A) =>
      run(async () => {
        const found = await symmetricVectors(ws, loadSymmetric(ws, "eigh", A));
        return eigenOut(ws, A.data, found);
      }),
    tridiagonalEigenvalues: (diagonal, offDiagonal) =>
      run(async () => {
        const { d, e, factor } = tridiagonal("tridiagonalEigenvalues", diagonal, offDiagonal);
        const values = await tridiagonalValues(ws, d, e);
        return inTypeOf(
          diagonal,
          values.map((value) => value * factor),
        );
      }),
    tridiagonalEigh: (diagonal, offDiagonal) =>
      run(async () => {
        const { d, e, factor } = tridiagonal("tridiagonalEigh", diagonal, offDiagonal);
        const { values, rows } = await tridiagonalVectors(ws, d, e);
        return eigenOut(ws, diagonal, { rows, values: values.map((value) => value * factor) });
      }),
    inertia: (A, shift = 0) =>
      run(() => {
        if (!Number.isFinite(shift)) throw new RangeError(`inertia: a shift of ${shift}.`);
        return symmetricInertia(ws, loadSymmetric(ws, "inertia", A), shift);
      }),
    svd: (A) =>
      run(async () => {
        const wide = A.rows < A.columns;
        const found = await thinSvd(ws, ws.load("svd", A, wide));
        const { U, sigma, Vt } = wide ? turn(found) : found;
        return { U: out(A, U), sigma: inTypeOf(A.data, sigma), Vt: out(A, Vt) };
      }),
    singularValues: (A) =>
      run(async () => {
        const block = ws.load("singularValues", A, A.rows < A.columns);
        return inTypeOf(A.data, await singularValues(ws, block));
      }),
    singularValuesOfBoth: (A, L, R) =>
      run(async () => {
        if (L.rows !== A.rows || R.rows !== A.columns || L.columns !== R.columns)
          throw new RangeError(
            `singularValuesOfBoth: ${A.rows} × ${A.columns}, but factors of ${L.rows} × ${L.columns} and ${R.rows} × ${R.columns}.`,
          );
        const wide = A.rows < A.columns;
        const block = ws.load("singularValuesOfBoth", A, wide);
        const [left, right] = wide ? [R, L] : [L, R];
        const [before, after] = await valuesOfBoth(
          ws,
          block,
          ws.load("singularValuesOfBoth", left),
          ws.load("singularValuesOfBoth", right),
        );
        return { before, after };
      }),
    assignment: (cost, maximise = false) =>
      run(() => {
        if (cost.rows > cost.columns)
          throw new RangeError(`assignment: ${cost.rows} rows, but only ${cost.columns} columns.`);
        const block = ws.load("assignment", cost);
        if (maximise) ws.call.scale(cost.data.length, -1, block.at);
        return assignRows(ws, block);
      }),
  };
}

async function multiply<D extends Data>(
  ws: Workspace,
  A: Matrix<D>,
  B: Matrix<D>,
  { transposeA = false, transposeB = false },
): Promise<Matrix<D>> {
  const [m, k] = transposeA ? [A.columns, A.rows] : [A.rows, A.columns];
  const [inner, n] = transposeB ? [B.columns, B.rows] : [B.rows, B.columns];
  if (k !== inner) throw new RangeError(`multiply: ${m} × ${k} by ${inner} × ${n}.`);
  if (A.data instanceof Float32Array && B.data instanceof Float32Array) {
    for (const X of [A, B]) {
      checkShape("multiply", X);
      checkFinite("multiply", X);
    }
    const data = ws.multiply32(
      { rows: A.rows, columns: A.columns, data: A.data },
      { rows: B.rows, columns: B.columns, data: B.data },
      { transposeA, transposeB },
    );
    return { rows: m, columns: n, data: inTypeOf(A.data, Float64Array.from(data)) };
  }
  const a = ws.load("multiply", A);
  const b = ws.load("multiply", B);
  const c = ws.zeros(m, n);
  await ws.multiply(1, transposeA ? transposed(a) : a, transposeB ? transposed(b) : b, c);
  return { rows: m, columns: n, data: inTypeOf(A.data, ws.read(c)) };
}

/** A⁻¹ = XᵀX with L X = I. */
async function invertSpd(ws: Workspace, L: Block, damping: number): Promise<Block | undefined> {
  const n = L.rows;
  const values = ws.view(L);
  for (let i = 0; i < n; i++) values[i * n + i] = (values[i * n + i] ?? NaN) + damping;
  if ((await factorCholesky(ws, L)) >= 0) return undefined;
  const X = ws.zeros(n, n);
  for (let i = 0; i < n; i++) ws.fill(part(X, i, i, 1, 1), 1);
  await solveTriangular(ws, L, { upper: false }, X);
  const inverse = ws.zeros(n, n);
  await ws.multiply(1, transposed(X), X, inverse);
  const symmetric = ws.view(inverse);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < i; j++) symmetric[j * n + i] = symmetric[i * n + j] ?? NaN;
  return inverse;
}

function loadSquare(ws: Workspace, what: string, A: Matrix<Data>): Block {
  if (A.rows !== A.columns)
    throw new RangeError(`${what}: ${A.rows} × ${A.columns} is not square.`);
  return ws.load(what, A);
}

/** The lower triangle in both. */
function loadSymmetric(ws: Workspace, what: string, A: Matrix<Data>): Block {
  const block = loadSquare(ws, what, A);
  const values = ws.view(block);
  for (let i = 0; i < A.rows; i++)
    for (let j = 0; j < i; j++) values[j * A.rows + i] = values[i * A.rows + j] ?? NaN;
  return block;
}

function loadRight(ws: Workspace, what: string, T: Matrix<Data>, B: Matrix<Data>): Block {
  if (T.rows !== B.rows)
    throw new RangeError(`${what}: ${T.rows} equations, but right-hand sides of ${B.rows}.`);
  return ws.load(what, B);
}

function splitLu<D extends Data>(
  like: Matrix<D>,
  both: Float64Array,
): Pick<LuFactors<D>, "L" | "U"> {
  const { rows: m, columns: n, data } = like;
  const k = Math.min(m, n);
  const L = new Float64Array(m * k);
  const U = new Float64Array(k * n);
  for (let i = 0; i < m; i++) {
    const row = both.subarray(i * n, (i + 1) * n);
    L.set(row.subarray(0, Math.min(i, k)), i * k);
    if (i >= k) continue;
    L[i * k + i] = 1;
    U.set(row.subarray(i), i * n + i);
  }
  return {
    L: { rows: m, columns: k, data: inTypeOf(data, L) },
    U: { rows: k, columns: n, data: inTypeOf(data, U) },
  };
}

function eigenOut<D extends Data>(ws: Workspace, like: D, { values, rows }: EigenBlocks) {
  const n = values.length;
  const V = { rows: n, columns: n, data: inTypeOf(like, ws.read(transposed(rows))) };
  return { values: inTypeOf(like, values), V };
}

/** A tridiagonal matrix over a power of two. */
function tridiagonal(what: string, diagonal: Data, offDiagonal: Data) {
  const n = diagonal.length;
  if (offDiagonal.length !== Math.max(0, n - 1))
    throw new RangeError(`${what}: ${n} diagonal elements and ${offDiagonal.length} beside them.`);
  checkFinite(`${what}: diagonal`, { rows: 1, columns: n, data: diagonal });
  checkFinite(`${what}: off-diagonal`, { rows: 1, columns: n - 1, data: offDiagonal });
  let top = 0;
  for (const values of [diagonal, offDiagonal])
    for (const value of values) top = Math.max(top, Math.abs(value));
  const exponent = top === 0 ? 0 : Math.max(-1000, Math.min(1000, Math.floor(Math.log2(top))));
  const factor = 2 ** exponent;
  const scaled = (values: Data) => Float64Array.from(values, (value) => value / factor);
  return { d: scaled(diagonal), e: scaled(offDiagonal), factor };
}
