/**
 * @file Rotations of channels: random signs, then Hadamard's matrix, as QuaRot makes of a model's hidden states.
 *
 * "QuaRot: Outlier-Free 4-Bit Inference in Rotated LLMs", Ashkboos, Mohtashami, Croci, Li, Cameron, Jaggi, Alistarh,
 * Hoefler, Hensman, 2024, https://arxiv.org/abs/2404.00456. For a width of m · 2ᵏ with m odd, Q = S (R ⊗ H) with
 * signs S, H = Hadamard's matrix of 2ᵏ over its root and R a random rotation of m. (The code has tables of Hadamard's
 * matrices for some m; R does for any.)
 */

/** An orthogonal Q [width, width]. */
export interface Rotation {
  readonly width: number;
  /** Each row x [width] of `rows` becomes x Q, in place. */
  turn(rows: Float64Array): void;
}

/** The same for the same numbers from `random`, which are in [0, 1). */
export function randomRotation(width: number, random: () => number): Rotation {
  const block = powerOfTwoIn(width);
  const signs = Float64Array.from({ length: width }, () => (random() < 0.5 ? -1 : 1));
  const mix = orthogonal(width / block, random);
  const before = new Float64Array(width);
  return {
    width,
    turn(rows) {
      requireRows(rows, width);
      for (let from = 0; from < rows.length; from += width) {
        const row = rows.subarray(from, from + width);
        for (let j = 0; j < width; j++) row[j] = (row[j] ?? NaN) * (signs[j] ?? NaN);
      }
      hadamardRows(rows, block);
      const count = width / block;
      if (count === 1) return;
      for (let from = 0; from < rows.length; from += width) {
        before.set(rows.subarray(from, from + width));
        for (let to = 0; to < count; to++)
          for (let j = 0; j < block; j++) {
            let sum = 0;
            for (let a = 0; a < count; a++)
              sum += (before[a * block + j] ?? NaN) * (mix[a * count + to] ?? NaN);
            rows[from + to * block + j] = sum;
          }
      }
    },
  };
}

/** Each stretch of `width` numbers, a power of two, times Hadamard's matrix over the root of `width`, in place. */
export function hadamardRows(rows: Float64Array, width: number): void {
  requireRows(rows, width);
  if (powerOfTwoIn(width) !== width) throw new RangeError(`${width} is no power of two.`);
  const scale = 1 / Math.sqrt(width);
  for (let from = 0; from < rows.length; from += width) {
    for (let half = 1; half < width; half *= 2)
      for (let start = from; start < from + width; start += 2 * half)
        for (let i = start; i < start + half; i++) {
          const [a, b] = [rows[i] ?? NaN, rows[i + half] ?? NaN];
          rows[i] = a + b;
          rows[i + half] = a - b;
        }
    for (let i = from; i < from + width; i++) rows[i] = (rows[i] ?? NaN) * scale;
  }
}

/** The largest power of two that divides a width. */
export function powerOfTwoIn(width: number): number {
  if (!(Number.isInteger(width) && width > 0)) throw new RangeError(`A width of ${width}.`);
  let power = 1;
  while (width % (2 * power) === 0) power *= 2;
  return power;
}

/** A random orthogonal matrix [size, size]: normal numbers, rows made orthogonal one after the other, twice. */
function orthogonal(size: number, random: () => number): Float64Array {
  const rows = Float64Array.from(
    { length: size * size },
    () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()),
  );
  for (let i = 0; i < size; i++) {
    const row = rows.subarray(i * size, (i + 1) * size);
    // Once is not enough where a row lies almost among those before.
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < i; k++) {
        const other = rows.subarray(k * size, (k + 1) * size);
        const share = dot(row, other);
        for (let j = 0; j < size; j++) row[j] = (row[j] ?? NaN) - share * (other[j] ?? NaN);
      }
      const norm = Math.sqrt(dot(row, row));
      for (let j = 0; j < size; j++) row[j] = (row[j] ?? NaN) / norm;
    }
  }
  return rows;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

function requireRows(rows: Float64Array, width: number): void {
  if (rows.length % width !== 0)
    throw new RangeError(`${rows.length} numbers in rows of ${width}.`);
}
