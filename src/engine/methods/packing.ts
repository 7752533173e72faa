/** @file A method's tensor that an adapter file of peft holds as several others. */
import type { Shape } from "../../shared/dtypes.ts";

export interface PackedPart {
  /** What its name in the file has after the tensor's own. */
  readonly suffix: string;
  readonly dtype: "float32" | "uint8" | "int16" | "int32";
  readonly shape: Shape;
}

/** How a tensor of some shape is packed. */
export interface Packing {
  readonly parts: readonly PackedPart[];
  /** The numbers of each part. */
  readonly pack: (values: Float32Array) => readonly (readonly number[])[];
  /** The tensor's own numbers back, as near as the parts tell them. */
  readonly unpack: (parts: readonly ArrayLike<number>[]) => Float32Array;
}
