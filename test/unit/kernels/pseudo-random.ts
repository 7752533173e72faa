/** @file A small generator for test inputs, apart from the one under test. */

/** Numbers in [0, 1) from a linear congruence; the same for a seed everywhere. */
export function pseudoRandom(seed: number): () => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
