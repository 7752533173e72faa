/**
 * @file Matrices by code book as they are stored: W = values[code] · scale.
 *
 * `codes` uint8 [rows, ⌈columns · bits / 8⌉], each row on bytes of its own, the first code lowest; `scales`
 * float32 or float16 [rows, groups], one in all for `group: 0`; or nested, uint8 [rows, groups] with `nested_absmax`
 * float32 [⌈groups / 256⌉] and the setting `nested_offset`. The book is named in the settings.
 */
import { packedBytes } from "../blocks/bit-packing.ts";
import type { CodeBook } from "../blocks/code-books.ts";
import {
  binary,
  dynamic8,
  e2m1,
  e3m2,
  e4m3,
  e5m2,
  fp4,
  nf2,
  nf3,
  nf4,
  powersOfTwo,
  ternary,
} from "../blocks/code-books.ts";
import type { Granularity } from "../blocks/uniform-grid.ts";
import { groupsOf } from "../blocks/uniform-grid.ts";
import {
  nestedBlock,
  unnestScales,
  type NestedScales,
} from "../../../../kernels/nf4/nested-scales.ts";
import { floatsOf, storedHalf } from "../half.ts";
import type { PackedFormat, PackedMatrix, StoredArray } from "../packed.ts";
import { arrayOf, bytesOf, numberOf, stored } from "../packed.ts";
import { granularityOf, packedRows, unpackedRows } from "./grid.ts";

const known: readonly CodeBook[] = [
  nf2,
  nf3,
  nf4,
  fp4,
  e2m1,
  e3m2,
  e4m3,
  e5m2,
  dynamic8,
  ternary,
  binary,
  ...[2, 3, 4, 5, 6, 7, 8].flatMap((bits) =>
    [true, false].map((zero) => powersOfTwo(bits, { zero })),
  ),
];

export interface BookMatrix {
  readonly book: CodeBook;
  readonly rows: number;
  readonly columns: number;
  /** A size, −1 for a row, 0 for the whole matrix. */
  readonly group: number;
  /** [rows, columns] */
  readonly codes: Uint8Array;
  /** Float16 values already where they are to be stored so. */
  readonly scales: Float32Array<ArrayBuffer> | NestedScales;
}

/** How the scales of a code book's groups are stored. */
export type ScaleType = "float16" | "float32" | "nested";

export const book: PackedFormat = {
  name: "book",
  expand(packed, into) {
    const { book: of, rows, columns, group, codes, scales: held } = bookMatrix(packed);
    const scales = held instanceof Float32Array ? held : unnestScales(held);
    const { values } = of;
    const size = group > 0 ? group : columns;
    const perRow = group === 0 ? 0 : Math.ceil(columns / size);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        const scale = scales[row * perRow + Math.floor(column / size)] ?? NaN;
        into[at] = (values[codes[at] ?? 0] ?? NaN) * scale;
      }
  },
};

/** Scales must be of the type that is named. */
export function packBook(of: BookMatrix, scaleType: ScaleType): PackedMatrix {
  const {
    book: { name, bits },
    rows,
    columns,
    group,
    codes,
    scales,
  } = of;
  const { rows: scaleRows, perRow } = groupsOf(of, granularityOf(group));
  const shape = [scaleRows, perRow];
  const tensors = new Map<string, StoredArray>([["codes", packedRows(codes, rows, columns, bits)]]);
  const settings = { book: name, group };
  if (scales instanceof Float32Array) {
    const half = scaleType === "float16";
    tensors.set("scales", half ? storedHalf(shape, scales) : stored("float32", shape, scales));
    return { format: book.name, rows, columns, settings, tensors };
  }
  const { absmax, offset } = scales;
  tensors.set("scales", stored("uint8", shape, Uint8Array.from(scales.codes)));
  tensors.set("nested_absmax", stored("float32", [absmax.length], Float32Array.from(absmax)));
  const nested = { ...settings, nested_offset: offset };
  return { format: book.name, rows, columns, settings: nested, tensors };
}

export function bookMatrix(packed: PackedMatrix): BookMatrix {
  const { rows, columns, settings } = packed;
  const of = known.find(({ name }) => name === settings["book"]);
  if (!of) throw new RangeError(`There is no code book ${settings["book"]}.`);
  const group = numberOf(packed, "group");
  const { rows: scaleRows, perRow } = groupsOf(packed, granularityOf(group));
  const scales = scalesOf(packed);
  const count = scales instanceof Float32Array ? scales.length : scales.codes.length;
  if (count !== scaleRows * perRow)
    throw new RangeError(`${count} scales where ${scaleRows * perRow} belong.`);
  const codes = unpackedRows(bytesOf(packed, "codes"), rows, columns, of.bits);
  return { book: of, rows, columns, group, codes, scales };
}

function scalesOf(packed: PackedMatrix): BookMatrix["scales"] {
  if (!packed.tensors.has("nested_absmax")) return floatsOf(arrayOf(packed, "scales"));
  return {
    codes: bytesOf(packed, "scales"),
    absmax: floatsOf(arrayOf(packed, "nested_absmax")),
    offset: numberOf(packed, "nested_offset"),
  };
}

/** Bytes that {@link packBook} takes. */
export function bookBytes(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  bits: number,
  granularity: Granularity,
  scaleType: ScaleType,
): number {
  const { rows: scaleRows, perRow } = groupsOf({ rows, columns }, granularity);
  const groups = scaleRows * perRow;
  const nested = groups + 4 * Math.ceil(groups / nestedBlock);
  const scales = { float16: 2 * groups, float32: 4 * groups, nested };
  return rows * packedBytes(columns, bits) + scales[scaleType];
}
