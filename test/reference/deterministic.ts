/**
 * @file Weights from a formula, so that none need committing; bit for bit those of `deterministic.py`.
 *
 * Element i of the tensor `name`: u = the top 24 bits of splitmix64(fnv1a64(utf8(name)) + i + 1),
 * value = offset + scale (u / 2²³ − 1), rounded to float32 after the product and after the sum.
 */

/** How the elements of a tensor follow from its name. */
export interface Fill {
  readonly name: string;
  readonly shape: readonly number[];
  /** A float32: half the width of the uniform distribution. */
  readonly scale: number;
  /** A float32: its middle. */
  readonly offset: number;
  /** The name that the formula hashes, where it is not `name`. */
  readonly seedName?: string;
}

/** The tensor's elements in row-major order. */
export function filled({ name, shape, scale, offset, seedName = name }: Fill): Float32Array {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const first = BigInt.asUintN(64, fnv1a64(seedName) + 1n);
  let high = Number(first >> 32n);
  let low = Number(first & 0xffffffffn);
  for (let index = 0; index < values.length; index++) {
    // u / 2²³ − 1 is exact; so is its product with a float32 before fround rounds it.
    const unit = top24(high, low) / 0x800000 - 1;
    values[index] = offset + Math.fround(Math.fround(scale) * unit);
    low = (low + 1) >>> 0;
    if (low === 0) high = (high + 1) >>> 0;
  }
  return values;
}

function fnv1a64(text: string): bigint {
  let state = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    state = BigInt.asUintN(64, (state ^ BigInt(byte)) * 0x100000001b3n);
  return state;
}

/** The top 24 bits of splitmix64 of a state in two halves; its last shift does not reach them. */
function top24(stateHigh: number, stateLow: number): number {
  let low = stateLow + 0x7f4a7c15;
  let high = stateHigh + 0x9e3779b9 + (low > 0xffffffff ? 1 : 0);
  [low, high] = [low >>> 0, high >>> 0];
  // z ← (z ⊕ (z >> 30)) · c
  [low, high] = [low ^ ((low >>> 30) | (high << 2)), high ^ (high >>> 30)];
  [high, low] = product(high, low, 0xbf58476d, 0x1ce4e5b9);
  // z ← (z ⊕ (z >> 27)) · c
  [low, high] = [low ^ ((low >>> 27) | (high << 5)), high ^ (high >>> 27)];
  [high] = product(high, low, 0x94d049bb, 0x133111eb);
  return high >>> 8;
}

/** (a · b) mod 2⁶⁴ of numbers in two halves, as [high, low]. */
function product(aHigh: number, aLow: number, bHigh: number, bLow: number): [number, number] {
  const [a0, a1, b0, b1] = [aLow & 0xffff, aLow >>> 16, bLow & 0xffff, bLow >>> 16];
  const middle = a1 * b0 + (((a0 * b0) / 0x10000) >>> 0);
  const carry = (middle % 0x10000) + a0 * b1;
  const highOfLow = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
  const high = highOfLow + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh);
  return [high >>> 0, Math.imul(aLow, bLow) >>> 0];
}
