/**
 * @file A matrix of another format with some weights kept beside it: these stand where the others would.
 *
 * `base.*` the other format's arrays; `kept` float16 or float32 [n] in the order of rows and columns; `kept_columns`
 * uint16 [n] (int32 above 65,536 columns) and `kept_rows` int32 [rows + 1], where each row's begin: what finding them costs.
 */
import type { MatrixShape } from "../context.ts";
import { floatsOf, storedHalf } from "../half.ts";
import type { PackedFormat, PackedMatrix } from "../packed.ts";
import { arrayOf, asPart, partOf, stored } from "../packed.ts";
import { grid } from "./grid.ts";

/** A bfloat16 model's weights are all float32 values, and float16 ones but for tiny and huge ones. */
export type KeptType = "float16" | "float32";

export const kept: PackedFormat = {
  name: "kept",
  expand(packed, into) {
    const { rows, columns } = packed;
    grid.expand(partOf(packed, "base", grid.name), into);
    const values = floatsOf(arrayOf(packed, "kept"));
    const at = arrayOf(packed, "kept_columns").data;
    const starts = arrayOf(packed, "kept_rows").data;
    if (at.length !== values.length || starts.length !== rows + 1 || starts[rows] !== at.length)
      throw new RangeError(`${values.length} kept weights at ${at.length} places.`);
    for (let row = 0; row < rows; row++)
      for (let i = starts[row] ?? 0; i < (starts[row + 1] ?? 0); i++) {
        const column = at[i] ?? columns;
        if (column >= columns) throw new RangeError(`A weight is kept for column ${column}.`);
        into[row * columns + column] = values[i] ?? NaN;
      }
  },
};

/** `chosen` [n] ascending places in the matrix, `values` [n] theirs. */
export function packKept(
  base: PackedMatrix,
  chosen: Int32Array,
  values: Float32Array<ArrayBuffer>,
  type: KeptType,
): PackedMatrix {
  const { rows, columns } = base;
  const starts = new Int32Array(rows + 1);
  for (const place of chosen) {
    const row = Math.floor(place / columns) + 1;
    starts[row] = (starts[row] ?? 0) + 1;
  }
  for (let row = 0; row < rows; row++)
    starts[row + 1] = (starts[row + 1] ?? 0) + (starts[row] ?? 0);
  const at = Array.from(chosen, (place) => place % columns);
  const shape = [chosen.length];
  const part = asPart("base", base);
  return {
    format: kept.name,
    rows,
    columns,
    settings: part.settings,
    tensors: new Map([
      ...part.tensors,
      ["kept", type === "float16" ? storedHalf(shape, values) : stored("float32", shape, values)],
      [
        "kept_columns",
        columns <= 65536
          ? stored("uint16", shape, Uint16Array.from(at))
          : stored("int32", shape, Int32Array.from(at)),
      ],
      ["kept_rows", stored("int32", [rows + 1], starts)],
    ]),
  };
}

/** Bytes that keeping `count` weights adds. */
export function keptBytes({ rows, columns }: MatrixShape, count: number, type: KeptType): number {
  return count * ((type === "float16" ? 2 : 4) + (columns <= 65536 ? 2 : 4)) + 4 * (rows + 1);
}

/** ⌈share · weights⌉: how many the split by saliency takes. */
export function keptCount({ rows, columns }: MatrixShape, share: number): number {
  return Math.ceil(share * rows * columns * (1 - 2 ** -50));
}
