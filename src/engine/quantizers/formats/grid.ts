/**
 * @file Matrices on uniform grids as they are stored: W = scale · (code − zero).
 *
 * `codes` uint8 [rows, ⌈columns · bits / 8⌉], each row on bytes of its own, the first code lowest; `scales`
 * float16 or float32 [rows, groups], one in all for `group: 0`; `zeros` uint8 [rows, ⌈groups · bits / 8⌉], left
 * out where all are 2^(bits − 1); `group_of` int32 [columns] where groups do not follow each other.
 */
import { invariant } from "../../../shared/errors.ts";
import { packedBytes, packInto, unpackInto } from "../blocks/bit-packing.ts";
import { decodeColumns } from "../blocks/grid-columns.ts";
import type { Granularity, Grid } from "../blocks/uniform-grid.ts";
import { groupsOf } from "../blocks/uniform-grid.ts";
import { floatsOf, storedHalf } from "../half.ts";
import type { PackedFormat, PackedMatrix, StoredArray } from "../packed.ts";
import { arrayOf, bytesOf, numberOf, stored } from "../packed.ts";

/** Codes with their grid. Scales must be float16 values already where they are to be stored so. */
export interface GridMatrix {
  readonly grid: Grid;
  /** [rows, columns] */
  readonly codes: Uint8Array;
  /** [columns] The group of each column, stored where it is given: where groups do not follow each other. */
  readonly groupOf?: Int32Array;
}

export interface GridStorage {
  readonly scales: "float16" | "float32";
  /** Zeros are not stored: they are all 2^(bits − 1). */
  readonly symmetric: boolean;
}

export const grid: PackedFormat = {
  name: "grid",
  expand(packed, into) {
    if (packed.tensors.has("group_of")) {
      const { grid: of, codes, groupOf } = gridMatrix(packed);
      into.set(decodeColumns(codes, of, groupOf ?? inOrder(of)));
    } else expandInOrder(packed, into);
  },
};

export function packGrid({ grid: of, codes, groupOf }: GridMatrix, how: GridStorage): PackedMatrix {
  const { bits, rows, columns, granularity, scales, zeros } = of;
  const { rows: scaleRows, perRow } = groupsOf(of, granularity);
  const middle = 2 ** (bits - 1);
  invariant(!how.symmetric || zeros.every((zero) => zero === middle), "a symmetric grid has zeros");
  const shape = [scaleRows, perRow];
  const held =
    how.scales === "float16" ? storedHalf(shape, scales) : stored("float32", shape, scales);
  const tensors = new Map<string, StoredArray>([
    ["codes", packedRows(codes, rows, columns, bits)],
    ["scales", held],
  ]);
  if (!how.symmetric) tensors.set("zeros", packedRows(zeros, scaleRows, perRow, bits));
  if (groupOf) tensors.set("group_of", stored("int32", [columns], Int32Array.from(groupOf)));
  return {
    format: grid.name,
    rows,
    columns,
    settings: { bits, group: groupNumber(granularity) },
    tensors,
  };
}

/** Group by group: the values that its codes stand for, then a look-up for each code. */
function expandInOrder(packed: PackedMatrix, into: Float32Array): void {
  const { rows, columns } = packed;
  const bits = numberOf(packed, "bits");
  const granularity = granularityOf(numberOf(packed, "group"));
  const codes = bytesOf(packed, "codes");
  const { scales, zeros } = stepsOf(packed, bits, granularity);
  const perRow = granularity === "tensor" ? 0 : groupsOf(packed, granularity).perRow;
  const group = typeof granularity === "number" ? granularity : columns;
  const width = packedBytes(columns, bits);
  if (codes.length !== rows * width || into.length !== rows * columns)
    throw new RangeError(`${codes.length} bytes of codes where ${rows * width} belong.`);
  const values = new Float32Array(2 ** bits);
  const mask = 2 ** bits - 1;
  for (let row = 0; row < rows; row++)
    for (let first = 0; first < columns; first += group) {
      const index = row * perRow + (perRow === 0 ? 0 : first / group);
      const [scale, zero] = [scales[index] ?? NaN, zeros[index] ?? NaN];
      const last = Math.min(first + group, columns);
      const to = row * columns;
      if (bits === 8) {
        for (let j = first; j < last; j++)
          into[to + j] = scale * ((codes[row * width + j] ?? 0) - zero);
        continue;
      }
      for (let code = 0; code <= mask; code++) values[code] = scale * (code - zero);
      if (bits === 4 && first % 2 === 0) {
        for (let j = first; j + 1 < last; j += 2) {
          const pair = codes[row * width + (j >> 1)] ?? 0;
          into[to + j] = values[pair & 15] ?? NaN;
          into[to + j + 1] = values[pair >> 4] ?? NaN;
        }
        if ((last - first) % 2 === 1)
          into[to + last - 1] = values[(codes[row * width + ((last - 1) >> 1)] ?? 0) & 15] ?? NaN;
      } else
        for (let j = first; j < last; j++) {
          const bit = j * bits;
          const at = row * width + (bit >> 3);
          const both = (codes[at] ?? 0) | ((codes[at + 1] ?? 0) << 8);
          into[to + j] = values[(both >> (bit & 7)) & mask] ?? NaN;
        }
    }
}

/** Scales as floats, and zeros one by one. */
function stepsOf(packed: PackedMatrix, bits: number, granularity: Granularity) {
  const { rows: scaleRows, perRow } = groupsOf(packed, granularity);
  const scales = floatsOf(arrayOf(packed, "scales"));
  if (scales.length !== scaleRows * perRow)
    throw new RangeError(`${scales.length} scales where ${scaleRows * perRow} belong.`);
  const zeros = packed.tensors.has("zeros")
    ? unpackedRows(bytesOf(packed, "zeros"), scaleRows, perRow, bits)
    : new Uint8Array(scales.length).fill(2 ** (bits - 1));
  return { scales, zeros };
}

/** Codes, scales and zeros again. */
export function gridMatrix(packed: PackedMatrix): GridMatrix {
  const { rows, columns } = packed;
  const codes = bytesOf(packed, "codes");
  return {
    ...gridOf(packed),
    codes: unpackedRows(codes, rows, columns, numberOf(packed, "bits")),
  };
}

/** The same without the codes. */
export function gridOf(packed: PackedMatrix): Omit<GridMatrix, "codes"> {
  const { rows, columns, tensors } = packed;
  const bits = numberOf(packed, "bits");
  const granularity = granularityOf(numberOf(packed, "group"));
  const { scales, zeros } = stepsOf(packed, bits, granularity);
  const perRow = groupsOf(packed, granularity).perRow;
  const groups = tensors.get("group_of")?.data;
  if (groups && !(groups instanceof Int32Array && groups.every((g) => g >= 0 && g < perRow)))
    throw new RangeError("The groups of columns are no groups that there are.");
  return {
    grid: { bits, rows, columns, granularity, scales, zeros },
    ...(groups instanceof Int32Array && { groupOf: groups }),
  };
}

/** Bytes that {@link packGrid} takes; `unordered` where it stores the groups of columns. */
export function gridBytes(
  { rows, columns }: { readonly rows: number; readonly columns: number },
  { bits, granularity }: { readonly bits: number; readonly granularity: Granularity },
  how: GridStorage & { readonly unordered?: boolean },
): number {
  const { rows: scaleRows, perRow } = groupsOf({ rows, columns }, granularity);
  const scales = scaleRows * perRow * (how.scales === "float16" ? 2 : 4);
  const zeros = how.symmetric ? 0 : scaleRows * packedBytes(perRow, bits);
  return (
    rows * packedBytes(columns, bits) + scales + zeros + (how.unordered === true ? 4 * columns : 0)
  );
}

/** As experiment files and folders name it: a size, −1 for a row, 0 for the whole matrix. */
export function granularityOf(group: number): Granularity {
  return group === 0 ? "tensor" : group === -1 ? "row" : group;
}

function groupNumber(granularity: Granularity): number {
  return granularity === "tensor" ? 0 : granularity === "row" ? -1 : granularity;
}

/** The group of each column where they lie one after the other. */
function inOrder({ columns, granularity }: Grid): Int32Array {
  const size = typeof granularity === "number" ? granularity : columns;
  return Int32Array.from({ length: columns }, (_, column) => Math.floor(column / size));
}

/** Codes [rows, columns], each row on bytes of its own. */
export function packedRows(
  codes: Uint8Array,
  rows: number,
  columns: number,
  bits: number,
): StoredArray {
  const width = packedBytes(columns, bits);
  const data = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++)
    packInto(codes, bits, row * columns, columns, data, row * width);
  return stored("uint8", [rows, width], data);
}

/** The codes again. */
export function unpackedRows(
  packed: Uint8Array,
  rows: number,
  columns: number,
  bits: number,
): Uint8Array<ArrayBuffer> {
  const width = packedBytes(columns, bits);
  if (packed.length !== rows * width)
    throw new RangeError(`${packed.length} bytes of codes where ${rows * width} belong.`);
  const codes = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++)
    unpackInto(packed, bits, row * width, 0, codes, row * columns, columns);
  return codes;
}
