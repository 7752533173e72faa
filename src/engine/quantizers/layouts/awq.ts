/**
 * @file The layout of AWQ's folders in its version `gemm`, as AutoAWQ writes and transformers and vLLM read them.
 *
 * `qweight` int32 [in, out / 8], `qzeros` int32 [groups, out / 8], `scales` float16 [groups, out]: words of eight
 * outputs of 4 bits, the lowest first the outputs 0, 2, 4, 6, 1, 3, 5, 7 of the eight; W = scale · (code − zero).
 */
import { packBits, unpackBits } from "../blocks/bit-packing.ts";
import { granularityOf, gridMatrix, packGrid } from "../formats/grid.ts";
import { floatsOf, storedHalf } from "../half.ts";
import type { PackedMatrix, StoredArray } from "../packed.ts";
import { stored } from "../packed.ts";
import type { Layout } from "./layout.ts";
import { bytesOfWords, readOf, turned, wordsOf } from "./words.ts";

const suffixes = ["qweight", "qzeros", "scales"] as const;

/** The only width that its kernels read. */
const bits = 4;
const perWord = 32 / bits;

/** Which output of its eight each part of a word holds, the lowest part first. */
const order = [0, 2, 4, 6, 1, 3, 5, 7] as const;

export const awqLayout: Layout = {
  name: "awq",
  mark: ".qweight",
  reads: false,
  refuses,
  write,
  find(module, arrays, _mark, config) {
    const { quant_method: method, version = "gemm" } = config;
    if (method !== "awq" || (version !== "gemm" && version !== "GEMM")) return undefined;
    const [words, zeros, scales] = suffixes.map((name) => arrays.get(`${module}.${name}`));
    const [columns = 0, width = 0] = words?.shape ?? [];
    const [perRow = 0, rows = 0] = scales?.shape ?? [];
    if (!zeros || words?.shape.length !== 2 || scales?.shape.length !== 2) return undefined;
    if (columns === 0 || perRow === 0 || columns % perRow !== 0 || rows !== perWord * width)
      return undefined;
    const group = perRow === 1 ? -1 : columns / perRow;
    return {
      module,
      format: "grid",
      rows,
      columns,
      settings: { bits, group },
      inOrder: true,
      arrays: suffixes.map((name) => `${module}.${name}`),
      unpack: (read) => unpack({ module, rows, columns, group, perRow }, read),
    };
  },
};

function refuses({ format, rows, columns, settings, tensors }: PackedMatrix): string | undefined {
  if (format !== "grid") return `it holds uniform grids, not ${format}`;
  const { group } = settings;
  if (typeof group !== "number") return "bits and group are not given";
  if (settings["bits"] !== bits) return `it holds 4 bits, not ${settings["bits"]}`;
  if (group === 0) return "it holds a scale for each row at least";
  if (group > 0 && columns % group !== 0)
    return `${columns} inputs are no whole groups of ${group}`;
  if (rows % perWord !== 0) return `${rows} outputs are no whole words`;
  if (tensors.has("group_of")) return "it holds groups of columns that follow each other";
  if (tensors.get("scales")?.dtype !== "float16") return "it holds scales in float16";
  return undefined;
}

function write(module: string, packed: PackedMatrix): ReadonlyMap<string, StoredArray> {
  const { rows, columns } = packed;
  const { grid, codes } = gridMatrix(packed);
  const perRow = grid.scales.length / rows;
  const words = (of: Uint8Array<ArrayBuffer>, height: number): StoredArray =>
    stored(
      "int32",
      [height, rows / perWord],
      wordsOf(packBits(reordered(turned(of, rows, height), order), bits)),
    );
  return new Map([
    [`${module}.qweight`, words(Uint8Array.from(codes), columns)],
    [`${module}.qzeros`, words(Uint8Array.from(grid.zeros), perRow)],
    [
      `${module}.scales`,
      storedHalf([perRow, rows], turned(Float32Array.from(grid.scales), rows, perRow)),
    ],
  ]);
}

interface Found {
  readonly module: string;
  readonly rows: number;
  readonly columns: number;
  readonly group: number;
  readonly perRow: number;
}

function unpack(
  { module, rows, columns, group, perRow }: Found,
  read: ReadonlyMap<string, StoredArray>,
): PackedMatrix {
  const codesOf = (suffix: string, height: number): Uint8Array<ArrayBuffer> => {
    const name = `${module}.${suffix}`;
    const words = bytesOfWords(readOf(read, name), name);
    return turned(reordered(unpackBits(words, bits, height * rows), places), height, rows);
  };
  const zeros = codesOf("qzeros", perRow);
  const middle = 2 ** (bits - 1);
  return packGrid(
    {
      grid: {
        bits,
        rows,
        columns,
        granularity: granularityOf(group),
        scales: turned(floatsOf(readOf(read, `${module}.scales`)), perRow, rows),
        zeros,
      },
      codes: codesOf("qweight", columns),
    },
    { scales: "float16", symmetric: zeros.every((zero) => zero === middle) },
  );
}

/** Where in a word each of its eight outputs is. */
const places = order.map((_, output) => order.findIndex((one) => one === output));

/** Of each eight, the `from[i]`th in place i. */
function reordered(codes: Uint8Array, from: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(codes, (_, i) => codes[i - (i % perWord) + (from[i % perWord] ?? 0)] ?? 0);
}
