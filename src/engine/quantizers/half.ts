/** @file Float16 scales and factors: the nearest value, and arrays of bits. */
import type { Shape } from "../../shared/dtypes.ts";
import { float32ToHalf, halfToFloat32 } from "../weights/dtype-conversion.ts";
import type { StoredArray } from "./packed.ts";
import { stored } from "./packed.ts";

const [single, bits] = [new Float32Array(1), new Uint16Array(1)];

/** The nearest float16 that a scale can be: at least the smallest above 0, at most the largest finite one. */
export function halfScale(scale: number): number {
  single[0] = Math.min(Math.max(scale, 2 ** -24), 65504);
  float32ToHalf("float16", single, bits);
  halfToFloat32("float16", bits, single);
  return single[0];
}

/** The nearest float16, at most the largest finite one in magnitude. */
export function nearestHalf(value: number): number {
  single[0] = Math.min(Math.max(value, -65504), 65504);
  float32ToHalf("float16", single, bits);
  halfToFloat32("float16", bits, single);
  return single[0];
}

/** Values rounded to float16. */
export function storedHalf(shape: Shape, values: Float32Array): StoredArray {
  const data = new Uint16Array(values.length);
  float32ToHalf("float16", values, data);
  return stored("float16", shape, data);
}

/** Float32 values of an array of either type. */
export function floatsOf({ dtype, data }: StoredArray): Float32Array<ArrayBuffer> {
  if (data instanceof Float32Array) return data;
  if (!(data instanceof Uint16Array) || (dtype !== "float16" && dtype !== "bfloat16"))
    throw new RangeError(`An array of ${dtype} holds no floats.`);
  const values = new Float32Array(data.length);
  halfToFloat32(dtype, data, values);
  return values;
}
