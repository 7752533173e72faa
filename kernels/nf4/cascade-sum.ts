/** @file A float32 sum in the order in which PyTorch sums on an x86 processor, so that means agree to the last bit. */

/**
 * The sum of `values` in float32. Elements are dealt to 4 accumulators of 8 lanes (of one lane below
 * 8 elements), each summed in a cascade of four levels: a level is emptied into the next after every
 * 2^k additions, which keeps the rounding error small. PyTorch's kernels for two and more threads
 * split sums of over 32,768 elements and those for CUDA go another way; both end within 2 ulp.
 */
export function cascadeSum(values: Float32Array): number {
  const lanes = values.length < 8 ? 1 : 8;
  const columns = 4 * lanes;
  const rows = Math.floor(values.length / columns);
  const sums = cascade(values, rows, columns);

  const whole = values.length - (values.length % lanes);
  for (let i = rows * columns; i < whole; i += lanes) add(sums, values.subarray(i, i + lanes));
  for (let i = lanes; i < columns; i += lanes) add(sums, sums.subarray(i, i + lanes));
  let sum = 0;
  for (const value of values.subarray(whole)) sum = Math.fround(sum + value);
  for (const value of sums.subarray(0, lanes)) sum = Math.fround(sum + value);
  return sum;
}

/** Column sums of the first `rows` rows of `columns` values. */
function cascade(values: Float32Array, rows: number, columns: number): Float32Array {
  const rowBits = rows < 2 ? 0 : 32 - Math.clz32(rows - 1);
  const power = Math.max(4, rowBits >> 2);
  const [first, ...upper] = [0, 1, 2, 3].map(() => new Float32Array(columns));
  if (first === undefined) return new Float32Array(columns);
  for (let row = 0; row < rows;) {
    add(first, values.subarray(row * columns, ++row * columns));
    let level = first;
    for (const [j, next] of upper.entries()) {
      // Level j is full when the lowest (j + 1) · power bits of the row count are zero.
      if ((row & (((1 << power) - 1) << (j * power))) !== 0) break;
      add(next, level);
      level.fill(0);
      level = next;
    }
  }
  for (const level of upper) add(first, level);
  return first;
}

/** into[i] += from[i]; a Float32Array rounds what it stores. */
function add(into: Float32Array, from: Float32Array): void {
  for (let i = 0; i < from.length; i++) into[i] = (into[i] ?? NaN) + (from[i] ?? NaN);
}
