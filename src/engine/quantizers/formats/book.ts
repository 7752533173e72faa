/**
 * @file Matrices by code book as they are stored: W = values[code] · scale.
 *
 * `codes` uint8 [rows, ⌈columns · bits / 8⌉], each row on bytes of its own, the first code lowest; `scales`
 * float32 or float16 [rows, groups], one in all for `group: 0`. The book is named in the settings.
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
import { floatsOf, storedHalf } from "../half.ts";
import type { PackedFormat, PackedMatrix } from "../packed.ts";
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
  readonly scales: Float32Array<ArrayBuffer>;
}

export const book: PackedFormat = {
  name: "book",
  expand(packed, into) {
    const { book: of, rows, columns, group, codes, scales } = bookMatrix(packed);
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

export function packBook(of: BookMatrix, scaleType: "float16" | "float32"): PackedMatrix {
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
  return {
    format: book.name,
    rows,
    columns,
    settings: { book: name, group },
    tensors: new Map([
      ["codes", packedRows(codes, rows, columns, bits)],
      [
        "scales",
        scaleType === "float16" ? storedHalf(shape, scales) : stored("float32", shape, scales),
      ],
    ]),
  };
}

export function bookMatrix(packed: PackedMatrix): BookMatrix {
  const { rows, columns, settings } = packed;
  const of = known.find(({ name }) => name === settings["book"]);
  if (!of) throw new RangeError(`There is no code book ${settings["book"]}.`);
  const group = numberOf(packed, "group");
  const { rows: scaleRows, perRow } = groupsOf(packed, granularityOf(group));
  const scales = floatsOf(arrayOf(packed, "scales"));
  if (scales.length !== scaleRows * perRow)
    throw new RangeError(`${scales.length} scales where ${scaleRows * perRow} belong.`);
  const codes = unpackedRows(bytesOf(packed, "codes"), rows, columns, of.bits);
  return { book: of, rows, columns, group, codes, scales };
}

/** Bytes that {@link packBook} takes. */
export function bookBytes(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  bits: number,
  granularity: Granularity,
  scaleType: "float16" | "float32",
): number {
  const { rows: scaleRows, perRow } = groupsOf({ rows, columns }, granularity);
  return rows * packedBytes(columns, bits) + scaleRows * perRow * (scaleType === "float16" ? 2 : 4);
}
