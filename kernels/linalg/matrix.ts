/** @file Dense matrices as the linear algebra kernels take and return them, and what is refused at the door. */

export type Data = Float64Array | Float32Array;

/** Row-major: element (i, j) is `data[i * columns + j]`; `data.length` is rows · columns. */
export interface Matrix<D extends Data = Float64Array> {
  readonly rows: number;
  readonly columns: number;
  readonly data: D;
}

/**
 * The product A B of two contiguous float64 matrices, made elsewhere (by ONNX Runtime, say). Must not keep or change
 * its operands. `into`, of as many elements as the product, may be written to and be the result's data.
 */
export type Gemm = (a: Matrix, b: Matrix, into?: Float64Array) => Promise<Matrix>;

/** RangeError that names `what` unless the sizes are whole numbers that fit the data. */
export function checkShape(what: string, { rows, columns, data }: Matrix<Data>): void {
  if (![rows, columns].every((n) => Number.isSafeInteger(n) && n >= 0))
    throw new RangeError(`${what}: a matrix cannot have ${rows} × ${columns} elements.`);
  if (data.length !== rows * columns)
    throw new RangeError(`${what}: ${rows} × ${columns} elements, but ${data.length} are there.`);
}

/** RangeError that names the place of the first NaN or infinity. */
export function checkFinite(what: string, { columns, data }: Matrix<Data>): void {
  let bad = 0;
  while (bad < data.length && Number.isFinite(data[bad])) bad++;
  if (bad === data.length) return;
  const place = `[${Math.floor(bad / columns)}, ${bad % columns}]`;
  throw new RangeError(`${what}: the element ${place} is ${data[bad]}, not a finite number.`);
}

/** Float64 values in the type of `like`; float32 rounds each once. */
export function inTypeOf<D extends Data>(like: D, values: Float64Array): D;
export function inTypeOf(like: Data, values: Float64Array): Data {
  return like instanceof Float64Array ? values : new Float32Array(values);
}

/** A matrix of zeros in float64. */
export function zeros(rows: number, columns: number): Matrix<Float64Array<ArrayBuffer>> {
  return { rows, columns, data: new Float64Array(rows * columns) };
}

/** Aᵀ in plain TypeScript, eight rows at a time: what they write is one line of the cache. */
export function transposedCopy<D extends Data>(a: Matrix<D>): Matrix<D> {
  const { rows, columns, data } = a;
  const out = new Float64Array(data.length);
  for (let top = 0; top < rows; top += 8) {
    const bottom = Math.min(rows, top + 8);
    for (let j = 0; j < columns; j++)
      for (let i = top; i < bottom; i++) out[j * rows + i] = data[i * columns + j] ?? NaN;
  }
  return { rows: columns, columns: rows, data: inTypeOf(data, out) };
}

/** An item that must be there. */
export function item<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`There is no item ${index} of ${list.length}.`);
  return found;
}
