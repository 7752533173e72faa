/**
 * @file The layout of GPTQ's folders, as AutoGPTQ and GPTQModel write and transformers reads them.
 *
 * `qweight` int32 [in · bits / 32, out], `qzeros` int32 [groups, out · bits / 32], `scales` float16 [groups, out],
 * `g_idx` int32 [in]; codes lowest first in words that count up. `checkpoint_format: gptq` holds zeros less one,
 * `gptq_v2` as they are.
 */
import { packBits, unpackBits } from "../blocks/bit-packing.ts";
import { groupsOf } from "../blocks/uniform-grid.ts";
import { granularityOf, gridOf, packGrid, unpackedRows } from "../formats/grid.ts";
import { floatsOf, storedHalf } from "../half.ts";
import type { PackedMatrix, StoredArray } from "../packed.ts";
import { arrayOf, numberOf, stored } from "../packed.ts";
import type { Layout } from "./layout.ts";
import { bytesOfWords, readOf, turned, wordsOf } from "./words.ts";

const suffixes = ["qweight", "qzeros", "scales", "g_idx"] as const;

/** Bits whose words hold whole codes, or 32 codes in three words. */
const gptqBits: readonly number[] = [2, 3, 4, 8];

export const gptqLayout: Layout = gptqWith(0);

/** The layout whose zeros are stored less `less`: 1 for `checkpoint_format: gptq`. */
export function gptqWith(less: 0 | 1): Layout {
  return {
    name: "gptq",
    mark: ".qweight",
    reads: false,
    refuses,
    write: (module, packed) => write(module, packed, less),
    find(module, arrays, _mark, config) {
      const [words, zeros, scales, groups] = suffixes.map((name) =>
        arrays.get(`${module}.${name}`),
      );
      const columns = groups?.shape[0];
      const [height = 0, rows = 0] = words?.shape ?? [];
      if (!zeros || !scales || columns === undefined || words?.shape.length !== 2) return undefined;
      const bits = (32 * height) / columns;
      if (!gptqBits.includes(bits)) return undefined;
      const perRow = scales.shape[0] ?? 1;
      const group = perRow === 1 ? -1 : Math.ceil(columns / perRow);
      const v2 = config["checkpoint_format"] === "gptq_v2";
      return {
        module,
        format: "grid",
        rows,
        columns,
        settings: { bits, group },
        inOrder: config["desc_act"] !== true || config["static_groups"] === true,
        arrays: suffixes.map((name) => `${module}.${name}`),
        unpack: (read) => unpack({ module, rows, columns, bits, group, perRow }, read, v2 ? 0 : 1),
      };
    },
  };
}

/** Whether no zero of a grid by rows or groups is 0, so that all can be stored less one. */
export function zerosAboveNought(packed: PackedMatrix): boolean {
  const { rows, tensors } = packed;
  const zeros = tensors.get("zeros")?.data;
  if (!(zeros instanceof Uint8Array)) return true;
  const { perRow } = groupsOf(packed, granularityOf(numberOf(packed, "group")));
  return !unpackedRows(zeros, rows, perRow, numberOf(packed, "bits")).includes(0);
}

function refuses({ format, rows, columns, settings, tensors }: PackedMatrix): string | undefined {
  if (format !== "grid") return `it holds uniform grids, not ${format}`;
  const { bits, group } = settings;
  if (typeof bits !== "number" || typeof group !== "number") return "bits and group are not given";
  if (!gptqBits.includes(bits)) return `it holds 2, 3, 4 or 8 bits, not ${bits}`;
  if (group === 0) return "it holds a scale for each row at least";
  if (group > 0 && columns % group !== 0)
    return `${columns} inputs are no whole groups of ${group}`;
  if ((columns * bits) % 32 !== 0) return `${columns} inputs of ${bits} bits are no whole words`;
  if ((rows * bits) % 32 !== 0) return `${rows} outputs of ${bits} bits are no whole words`;
  if (tensors.get("scales")?.dtype !== "float16") return "it holds scales in float16";
  return undefined;
}

function write(
  module: string,
  packed: PackedMatrix,
  less: 0 | 1,
): ReadonlyMap<string, StoredArray> {
  const { rows, columns } = packed;
  const { grid, groupOf } = gridOf(packed);
  const { bits, zeros } = grid;
  const perRow = grid.scales.length / rows;
  const words = wordsOf(arrayOf(packed, "codes").data);
  const size = Math.ceil(columns / perRow);
  const top = 2 ** bits - 1;
  const zeroRows = turned(zeros, rows, perRow);
  const zeroWords = Array.from({ length: perRow }, (_, g) =>
    wordsOf(
      packBits(
        zeroRows.subarray(g * rows, (g + 1) * rows).map((zero) => (zero - less) & top),
        bits,
      ),
    ),
  );
  const width = (rows * bits) / 32;
  const qzeros = new Int32Array(perRow * width);
  for (const [g, row] of zeroWords.entries()) qzeros.set(row, g * width);
  const ids = groupOf ?? Int32Array.from({ length: columns }, (_, j) => Math.floor(j / size));
  return new Map([
    [
      `${module}.qweight`,
      stored("int32", [(columns * bits) / 32, rows], turned(words, rows, (columns * bits) / 32)),
    ],
    [`${module}.qzeros`, stored("int32", [perRow, width], qzeros)],
    [`${module}.scales`, storedHalf([perRow, rows], turned(grid.scales, rows, perRow))],
    [`${module}.g_idx`, stored("int32", [columns], Int32Array.from(ids))],
  ]);
}

interface Found {
  readonly module: string;
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly group: number;
  readonly perRow: number;
}

function unpack(
  { module, rows, columns, bits, group, perRow }: Found,
  read: ReadonlyMap<string, StoredArray>,
  less: 0 | 1,
): PackedMatrix {
  const array = (name: string): StoredArray => readOf(read, `${module}.${name}`);
  const bytes = (name: string) => bytesOfWords(array(name), `${module}.${name}`);
  const height = (columns * bits) / 32;
  const qweight = turned(wordsOf(bytes("qweight")), height, rows);
  const codes = unpackBits(new Uint8Array(qweight.buffer), bits, rows * columns);
  const qzeros = unpackBits(bytes("qzeros"), bits, perRow * rows);
  const top = 2 ** bits - 1;
  const zeros = turned(qzeros, perRow, rows).map((zero) => (zero + less) & top);
  const scales = turned(floatsOf(array("scales")), perRow, rows);
  const ids = wordsOf(bytes("g_idx"));
  const size = group === -1 ? columns : group;
  const inOrder = ids.every((id, column) => id === Math.floor(column / size));
  const middle = 2 ** (bits - 1);
  const packed = packGrid(
    {
      grid: { bits, rows, columns, granularity: group === -1 ? "row" : group, scales, zeros },
      codes,
      ...(!inOrder && { groupOf: ids }),
    },
    { scales: "float16", symmetric: zeros.every((zero) => zero === middle) },
  );
  return packed;
}
