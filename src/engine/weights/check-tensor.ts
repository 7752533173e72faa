/** @file What a model asks of a tensor that it takes from a file: that it is there, its shape, finite values. */
import { elementCount, type DType, type Shape } from "../../shared/dtypes.ts";
import { UserError } from "../../shared/errors.ts";
import { nearest } from "../../shared/experiment/nearest.ts";
import { findNonFinite } from "./dtype-conversion.ts";
import { quote } from "./header-text.ts";
import type { TensorInfo } from "./safetensors.ts";
import type { WeightSource } from "./weight-source.ts";

/** The tensor `name`, if it has `shape` and a type to compute with; else a {@link UserError}. */
export function requireTensor(
  source: WeightSource,
  name: string,
  shape: Shape,
): TensorInfo & { readonly dtype: DType } {
  const tensor = source.tensors.get(name);
  if (tensor === undefined) throw missing(source, name);
  const { file } = tensor;
  if (
    tensor.shape.length !== shape.length ||
    shape.some((size, axis) => tensor.shape[axis] !== size)
  )
    throw new UserError({
      code: "tensor-shape",
      message: `The tensor ${quote(name)} in ${file} has the shape [${tensor.shape.join(", ")}], but the model needs [${shape.join(", ")}].`,
      place: { file, field: name },
      remedy: "Take configuration and weights from the same model and revision.",
    });
  return { ...tensor, dtype: dtypeToRead(tensor) };
}

/** The type of a tensor's elements; a {@link UserError} where Spectune does not compute with it. */
export function dtypeToRead({ name, file, dtype, storedAs }: TensorInfo): DType {
  if (dtype !== undefined) return dtype;
  throw new UserError({
    code: "unsupported-tensor-dtype",
    message: `The tensor ${quote(name)} in ${file} is stored as ${storedAs}, which Spectune does not compute with.`,
    place: { file, field: name },
    remedy: "Use a copy of the model in F32, F16 or BF16.",
  });
}

/**
 * A {@link UserError} if `bytes`, which are those of `tensor` from its row `firstRow` on, hold NaN
 * or an infinite value; it names the first one's place in the tensor.
 */
export function refuseNonFinite(tensor: TensorInfo, bytes: Uint8Array, firstRow = 0): void {
  const { name, file, shape } = tensor;
  const index = findNonFinite(bytes, dtypeToRead(tensor));
  if (index === undefined) return;
  const rowLength = elementCount(shape.slice(1));
  const place = placeInTensor(firstRow * rowLength + index, shape);
  throw new UserError({
    code: "non-finite-weights",
    message: `The tensor ${quote(name)} in ${file} holds NaN or an infinite value at [${place.join(", ")}].`,
    place: { file, field: name },
    remedy: "The model is damaged, or its training diverged: take another copy or checkpoint.",
  });
}

function placeInTensor(index: number, shape: Shape): readonly number[] {
  const place: number[] = [];
  let rest = index;
  for (const size of shape.toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}

function missing({ path, tensors }: WeightSource, name: string): UserError {
  const near = nearest(name, [...tensors.keys()]);
  return new UserError({
    code: "missing-tensor",
    message: `${path} has no tensor ${quote(name)}.${near === undefined ? "" : ` The nearest name is ${quote(near)}.`}`,
    place: { file: path, field: name },
    remedy: "Check that the weights are those of the model that its configuration describes.",
  });
}
