/** @file 16-bit floats to float32 and back in WebAssembly, also into a buffer that never moves. */
import { instantiate, regions } from "../wasm.ts";
import type { HalfType } from "./reference.ts";

export type { HalfType } from "./reference.ts";

export interface HalfOptions {
  /** Elements that {@link Half.expand} can hold at once: that many float32 are reserved. */
  readonly scratchElements: number;
}

export interface Half {
  /** The expanded elements; its buffer is allocated once, so tensors may be views of it. */
  readonly scratch: Float32Array<ArrayBuffer>;
  /** Expands 16-bit floats to `scratch` from its element `at` on (0 where not given); returns that part. */
  expand(type: HalfType, bits: Uint16Array, at?: number): Float32Array<ArrayBuffer>;
  /** Expands 16-bit floats into an array of the same length. */
  expandInto(type: HalfType, bits: Uint16Array, into: Float32Array): void;
  /** Rounds to the nearest 16-bit floats, ties to even, into an array of the same length. */
  roundInto(type: HalfType, values: Float32Array, into: Uint16Array): void;
}

/** Elements that are staged at a time: what is staged stays in the second-level cache. */
const chunk = 32768;

/** Conversions over one memory of `scratchElements` float32 and 0.2 MB. `wasm`: `half.wasm`. */
export function createHalf(wasm: Uint8Array, { scratchElements }: HalfOptions): Half {
  if (!Number.isSafeInteger(scratchElements) || scratchElements < 0)
    throw new RangeError(`A scratch of ${scratchElements} elements cannot be made.`);
  const space = regions();
  const at = {
    bits: space.take(2 * chunk),
    values: space.take(4 * chunk),
    scratch: space.take(4 * scratchElements),
  };
  const kernel = instantiate(wasm, space.bytes);
  const { memory } = kernel;
  const widen = { bfloat16: kernel.fn("expandBfloat16"), float16: kernel.fn("expandFloat16") };
  const narrow = { bfloat16: kernel.fn("roundBfloat16"), float16: kernel.fn("roundFloat16") };
  const stagedBits = new Uint16Array(memory, at.bits, chunk);
  const stagedValues = new Float32Array(memory, at.values, chunk);
  const scratch = new Float32Array(memory, at.scratch, scratchElements);

  function expandInto(type: HalfType, bits: Uint16Array, into: Float32Array): void {
    sameLength(bits, into);
    for (let first = 0; first < bits.length; first += chunk) {
      const part = bits.subarray(first, first + chunk);
      stagedBits.set(part);
      widen[type](at.bits, roundUp(part.length), at.values);
      into.set(stagedValues.subarray(0, part.length), first);
    }
  }

  return {
    scratch,
    expandInto,
    expand(type, bits, to = 0) {
      if (!Number.isSafeInteger(to) || to < 0 || to + bits.length > scratchElements)
        throw new RangeError(
          `${bits.length} elements from ${to} on do not fit into a scratch of ${scratchElements}.`,
        );
      const out = scratch.subarray(to, to + bits.length);
      // Whole groups go straight to their place; the rest, staged, cannot write past its end.
      const whole = bits.length - (bits.length % 8);
      for (let first = 0; first < whole; first += chunk) {
        const part = bits.subarray(first, Math.min(first + chunk, whole));
        stagedBits.set(part);
        widen[type](at.bits, part.length, at.scratch + 4 * (to + first));
      }
      expandInto(type, bits.subarray(whole), out.subarray(whole));
      return out;
    },
    roundInto(type, values, into) {
      sameLength(values, into);
      for (let first = 0; first < values.length; first += chunk) {
        const part = values.subarray(first, first + chunk);
        stagedValues.set(part);
        narrow[type](at.values, roundUp(part.length), at.bits);
        into.set(stagedBits.subarray(0, part.length), first);
      }
    },
  };
}

function roundUp(count: number): number {
  return Math.ceil(count / 8) * 8;
}

function sameLength(from: ArrayLike<number>, to: ArrayLike<number>): void {
  if (from.length !== to.length)
    throw new RangeError(`${from.length} elements cannot be converted into ${to.length}.`);
}
