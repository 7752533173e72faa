/** @file A tensor of the trained model as it is saved: its values in float32, in the checkpoint's orientation. */
import type { DType, Shape } from "../../shared/dtypes.ts";
import { invariant } from "../../shared/errors.ts";
import type { TensorSpec } from "../models/architecture.ts";
import type { BaseWeights } from "../network/base-weights.ts";
import type { Factors } from "../network/factors.ts";
import type { Parameters } from "../network/parameters.ts";
import { float32ToHalf } from "../weights/dtype-conversion.ts";
import type { TensorToWrite } from "../weights/write-safetensors.ts";

/** Where values lie: trained ones in `parameters`, frozen ones in `base`. */
export interface ValueSources {
  readonly parameters: Parameters;
  readonly factors: Factors;
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

/** A tensor without what a method adds, as it is written under a name. */
export function ownTensor(sources: ValueSources, tensor: TensorSpec, name: string): TensorToWrite {
  const chunks = () => storedBytes(ownValues(sources, tensor), tensor);
  return { name, dtype: "float32", shape: storedShape(tensor), chunks };
}

/**
 * A tensor's bytes as a checkpoint has them: in its orientation, as float32 or a half type. They come in pieces that
 * share memory, each good until the next is asked for: copies of all would be in the run's peak.
 */
export function* storedBytes(
  values: Float32Array,
  { shape, transposed }: Pick<TensorSpec, "shape" | "transposed">,
  dtype: DType = "float32",
): Iterable<Uint8Array> {
  const isHalf = dtype === "float16" || dtype === "bfloat16";
  invariant(isHalf || dtype === "float32", `weights are not saved as ${dtype}`);
  if (!isHalf && !transposed) {
    yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return;
  }
  const length = Math.min(pieceElements, values.length);
  const ordered = new Float32Array(transposed ? length : 0);
  const halves = new Uint16Array(isHalf ? length : 0);
  for (let start = 0; start < values.length; start += pieceElements) {
    const count = Math.min(pieceElements, values.length - start);
    const piece = transposed ? ordered.subarray(0, count) : values.subarray(start, start + count);
    if (transposed) gatherTransposed(values, shape, start, piece);
    if (isHalf) float32ToHalf(dtype, piece, halves.subarray(0, count));
    const { buffer, byteOffset, byteLength } = isHalf ? halves.subarray(0, count) : piece;
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
}

const pieceElements = 2 ** 18;

/** A stored tensor in our orientation [out, in]. */
export function inOurOrder(
  values: Float32Array,
  { shape, transposed }: Pick<TensorSpec, "shape" | "transposed">,
): Float32Array {
  if (!transposed) return values;
  const result = new Float32Array(values.length);
  gatherTransposed(values, shape.toReversed(), 0, result);
  return result;
}

/** Elements `start` … of the transpose of a matrix [rows, columns]. */
function gatherTransposed(
  values: Float32Array,
  [rows = 1, columns = 1]: Shape,
  start: number,
  into: Float32Array,
): void {
  let row = start % rows;
  let column = (start - row) / rows;
  for (let place = 0; place < into.length; place++) {
    into[place] = values[row * columns + column] ?? 0;
    row += 1;
    if (row === rows) [row, column] = [0, column + 1];
  }
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
