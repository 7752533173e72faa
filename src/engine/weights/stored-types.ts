/** @file The element types of safetensors files, as the format names them, and which of them we compute with. */
import type { DType } from "../../shared/dtypes.ts";

interface StoredType {
  readonly bits: number;
  /** Our type; absent where Spectune cannot compute with it. */
  readonly dtype?: DType;
}

/**
 * Every type of the format, in the order in which the format's own library (safetensors 0.8) lays
 * tensors into a file: larger elements first, so that each tensor is aligned to its element.
 */
const storedTypes: ReadonlyMap<string, StoredType> = new Map<string, StoredType>([
  ["U64", { bits: 64 }],
  ["I64", { bits: 64, dtype: "int64" }],
  ["F64", { bits: 64, dtype: "float64" }],
  ["C64", { bits: 64 }],
  ["F32", { bits: 32, dtype: "float32" }],
  ["U32", { bits: 32, dtype: "uint32" }],
  ["I32", { bits: 32, dtype: "int32" }],
  ["BF16", { bits: 16, dtype: "bfloat16" }],
  ["F16", { bits: 16, dtype: "float16" }],
  ["U16", { bits: 16, dtype: "uint16" }],
  ["I16", { bits: 16, dtype: "int16" }],
  ["F8_E5M2FNUZ", { bits: 8 }],
  ["F8_E4M3FNUZ", { bits: 8 }],
  ["F8_E8M0", { bits: 8 }],
  ["F8_E4M3", { bits: 8 }],
  ["F8_E5M2", { bits: 8 }],
  ["I8", { bits: 8, dtype: "int8" }],
  ["U8", { bits: 8, dtype: "uint8" }],
  ["F6_E3M2", { bits: 6 }],
  ["F6_E2M3", { bits: 6 }],
  ["F4", { bits: 4 }],
  ["BOOL", { bits: 8, dtype: "bool" }],
]);

/** The format's name of each of our types. */
export const storedNames: { readonly [D in DType]: string } = {
  float64: "F64",
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  int64: "I64",
  int32: "I32",
  int16: "I16",
  int8: "I8",
  uint32: "U32",
  uint16: "U16",
  uint8: "U8",
  bool: "BOOL",
};

/** Size and meaning of a stored type; `undefined` where the format has no such name. */
export function storedType(name: string): StoredType | undefined {
  return storedTypes.get(name);
}

const ranks: ReadonlyMap<string, number> = new Map(
  [...storedTypes.keys()].map((name, rank) => [name, rank]),
);

/** Place of a type in the order of a file; smaller comes first. */
export function storedRank(dtype: DType): number {
  return ranks.get(storedNames[dtype]) ?? ranks.size;
}
