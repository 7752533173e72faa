/** @file Elementwise work on float32 vectors in WebAssembly: norms and sums of gradients on the host. */
import { instantiate, regions } from "../wasm.ts";
import { addLanes } from "./reference.ts";

/** Equal to the functions of the same name in `reference.ts`, bit for bit. */
export interface Vector {
  /** Σ x² in float64; NaN or infinite exactly where an element is. */
  sumOfSquares(values: Float32Array): number;
  /** values *= factor. */
  scale(values: Float32Array, factor: number): void;
  /** into += factor · values, of the same length. */
  addScaled(into: Float32Array, values: Float32Array, factor: number): void;
}

/** Elements that are staged at a time. */
const chunk = 16384;

/** Vector work over a memory of its own. `wasm`: `vector.wasm`. */
export function createVector(wasm: Uint8Array): Vector {
  const space = regions();
  const at = { sums: space.take(64), x: space.take(4 * chunk), y: space.take(4 * chunk) };
  const kernel = instantiate(wasm, space.bytes);
  const addSquares = kernel.fn("addSquares");
  const scale = kernel.fn("scale");
  const addScaled = kernel.fn("addScaled");
  const sums = new Float64Array(kernel.memory, at.sums, 8);
  const x = new Float32Array(kernel.memory, at.x, chunk);
  const y = new Float32Array(kernel.memory, at.y, chunk);

  /** Calls `work` with each part of `values`, staged in `x` and filled up with zeros to a multiple of 8. */
  function forParts(
    values: Float32Array,
    work: (part: Float32Array, count: number, first: number) => void,
  ): void {
    for (let first = 0; first < values.length; first += chunk) {
      const part = values.subarray(first, first + chunk);
      const count = Math.ceil(part.length / 8) * 8;
      x.set(part);
      x.fill(0, part.length, count);
      work(part, count, first);
    }
  }

  return {
    sumOfSquares(values) {
      sums.fill(0);
      forParts(values, (_, count) => addSquares(at.x, count, at.sums));
      return addLanes(sums);
    },
    scale(values, factor) {
      forParts(values, (part, count) => {
        scale(at.x, count, factor);
        part.set(x.subarray(0, part.length));
      });
    },
    addScaled(into, values, factor) {
      if (into.length !== values.length)
        throw new RangeError(`${values.length} elements cannot be added to ${into.length}.`);
      forParts(values, (part, count, first) => {
        const target = into.subarray(first, first + part.length);
        y.set(target);
        addScaled(at.x, at.y, count, factor);
        target.set(y.subarray(0, part.length));
      });
    },
  };
}
