/** @file Sums and means of numbers, added in their order. */

export function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i] ?? NaN;
  return total;
}

/** NaN of no values. */
export function mean(values: ArrayLike<number>): number {
  return sum(values) / values.length;
}
