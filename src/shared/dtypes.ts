/** @file Element types of tensors, and their sizes in bytes. */

/** Bytes per element of each element type. */
export const dtypeBytes = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
} as const;

export type DType = keyof typeof dtypeBytes;

/** Sizes of a tensor's dimensions, outermost first. */
export type Shape = readonly number[];

/** Number of elements of a tensor of `shape`. */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}
