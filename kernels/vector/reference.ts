/** @file Elementwise work on float32 vectors in plain TypeScript: the definition that the WebAssembly must equal. */

/** Σ x², in float64: eight sums, the i-th over the elements i, i + 8, …, then added two by two. */
export function sumOfSquaresReference(values: Float32Array): number {
  const sums = new Float64Array(8);
  for (const [i, x] of values.entries()) sums[i % 8] = (sums[i % 8] ?? NaN) + x * x;
  return addLanes(sums);
}

/** The eight sums in their fixed order. */
export function addLanes(sums: Float64Array): number {
  const [a0 = 0, a1 = 0, b0 = 0, b1 = 0, c0 = 0, c1 = 0, d0 = 0, d1 = 0] = sums;
  return a0 + b0 + (c0 + d0) + (a1 + b1 + (c1 + d1));
}

/** values[i] · factor, in float32. */
export function scaleReference(values: Float32Array, factor: number): Float32Array {
  return values.map((x) => x * Math.fround(factor));
}

/** into[i] + factor · values[i]; product and sum are rounded to float32. */
export function addScaledReference(
  into: Float32Array,
  values: Float32Array,
  factor: number,
): Float32Array {
  return into.map((y, i) => y + Math.fround((values[i] ?? NaN) * Math.fround(factor)));
}
