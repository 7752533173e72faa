/** @file Seeded normal numbers for starting blocks. */
import type { Matrix } from "../linalg/matrix.ts";

/** A matrix of independent standard normal numbers (Box and Muller) from a hash of (seed, index); the same for a seed everywhere. */
export function normalMatrix(rows: number, columns: number, seed: number): Matrix {
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < data.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform(seed, i)));
    const angle = 2 * Math.PI * uniform(seed, i + 1);
    data[i] = radius * Math.cos(angle);
    if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle);
  }
  return { rows, columns, data };
}

/** In (0, 1): a 32-bit mixing of a counter (the finaliser of MurmurHash3, twice keyed). */
function uniform(seed: number, index: number): number {
  let h = mix((index ^ Math.imul(seed | 0, 0x9e3779b9)) >>> 0);
  h = mix((h + Math.imul(seed | 0, 0x85ebca6b) + Math.floor(index / 2 ** 32)) >>> 0);
  return (h + 0.5) / 2 ** 32;
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
