/** @file Tensors of the reference interpreter: every float as float64, and the index arithmetic its operators share. */
import type { DType, Shape } from "../../../shared/dtypes.ts";
import { elementCount } from "../../../shared/dtypes.ts";
import type { OpAttributes, OpName } from "../../core/graph.ts";

/** Floats of any width (and 64-bit integers, exact to 2⁵³) in float64, int32, and bytes for uint8 and bool. */
export type Elements = Float64Array | Int32Array | Uint8Array;

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface Tensor extends TensorType {
  readonly data: Elements;
}

/** Computes an operator's outputs, whose types the graph knows, by its definition. */
export type Evaluate<Op extends OpName> = (
  inputs: readonly Tensor[],
  outputs: readonly TensorType[],
  attributes: OpAttributes[Op],
) => readonly Tensor[];

export function newElements(dtype: DType, count: number): Elements {
  if (dtype === "bool" || dtype === "uint8") return new Uint8Array(count);
  return dtype === "int32" ? new Int32Array(count) : new Float64Array(count);
}

/** A tensor whose element at each flat position is `value(position)`. */
export function filled({ dtype, shape }: TensorType, value: (position: number) => number): Tensor {
  const data = newElements(dtype, elementCount(shape));
  for (let position = 0; position < data.length; position++) data[position] = value(position);
  return { dtype, shape, data };
}

/** Distance in elements between neighbours along each axis. */
function strides(shape: Shape): number[] {
  const result = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    result[axis] = (result[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return result;
}

/** The coordinates of a flat position. */
export function coordinates(shape: Shape, position: number): number[] {
  return strides(shape).map((stride, axis) => Math.floor(position / stride) % (shape[axis] ?? 1));
}

/** The flat position of coordinates. */
export function positionOf(shape: Shape, at: readonly number[]): number {
  return strides(shape).reduce((sum, stride, axis) => sum + stride * (at[axis] ?? 0), 0);
}

/** Where an element of `result` comes from in a tensor of `shape` that broadcasts to it. */
export function broadcastSource(shape: Shape, result: Shape): (position: number) => number {
  const step = strides(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  const extra = result.length - shape.length;
  return (position) =>
    coordinates(result, position).reduce(
      (sum, coordinate, axis) => sum + (axis < extra ? 0 : coordinate * (step[axis - extra] ?? 0)),
      0,
    );
}

/** Element `position`, which the graph's shapes say exists. */
export function element(tensor: Tensor, position: number): number {
  const value = tensor.data[position];
  if (value === undefined) throw new RangeError(`element ${position} of ${tensor.data.length}`);
  return value;
}
