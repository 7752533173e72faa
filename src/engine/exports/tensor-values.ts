/** @file A tensor of the trained model as it is saved: its values in float32, in the checkpoint's orientation. */
import type { Shape } from "../../shared/dtypes.ts";
import type { TensorSpec } from "../models/architecture.ts";
import type { BaseWeights } from "../network/base-weights.ts";
import type { Parameters } from "../network/parameters.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";

/** Where values lie: trained ones in `parameters`, frozen ones in `base`. */
export interface ValueSources {
  readonly parameters: Parameters;
  readonly base: BaseWeights;
}

/** The tensor's shape in a checkpoint. */
export function storedShape({ shape, transposed }: TensorSpec): Shape {
  return transposed ? shape.toReversed() : shape;
}

/** Values [shape] of a tensor without what a method adds; the next call may overwrite them. */
export function ownValues(
  { parameters, base }: ValueSources,
  { source }: TensorSpec,
): Float32Array {
  return parameters.all.get(source)?.weight ?? base.decode(source);
}

/** Our orientation [out, in] to the one in which the tensor is stored. */
export function inStoredOrder(
  values: Float32Array,
  { shape, transposed }: TensorSpec,
): Float32Array {
  return transposed ? swapped(values, shape) : values;
}

/** The other way round: a tensor as it is stored to our orientation. */
export function inOurOrder(values: Float32Array, { shape, transposed }: TensorSpec): Float32Array {
  return transposed ? swapped(values, shape.toReversed()) : values;
}

/** Transposes a matrix [rows, columns]. */
function swapped(values: Float32Array, [rows = 1, columns = 1]: Shape): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = values[row * columns + column] ?? 0;
  return result;
}

/** A float32 tensor whose values are asked for when its turn comes. */
export function floatTensor(name: string, shape: Shape, values: () => Float32Array): TensorToWrite {
  return {
    name,
    dtype: "float32",
    shape,
    chunks: () => {
      const data = values();
      return [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
    },
  };
}
