/** @file The sign of a singular vector or an eigenvector, which is free: fixed, so that two runs have the same. */

/** −1 where the entry of largest magnitude is negative, else 1. */
export function uprightSign(vector: ArrayLike<number>): 1 | -1 {
  let largest = 0;
  for (let place = 0; place < vector.length; place++) {
    const value = vector[place] ?? 0;
    if (Math.abs(value) > Math.abs(largest)) largest = value;
  }
  return largest < 0 ? -1 : 1;
}
