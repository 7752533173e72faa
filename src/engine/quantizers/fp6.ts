/**
 * @file ZeroQuant(4+2): six bits a weight as a floating-point number, one scale for each row.
 *
 * "ZeroQuant(4+2): Redefining LLMs Quantization with a New FP6-Centric Strategy for Diverse Generative Tasks", Wu,
 * Xia, Youn, Zheng, Chen, Bakhtiari, Wyatt, Aminabadi, He, Ruwase, Song, Yao, 2023, https://arxiv.org/abs/2312.08583.
 * E3M2 without infinities, up to 28, rounded to nearest or by GPTQ's sweep. Stored as the paper's 4 + 2 bits in
 * two arrays without gaps. Its "bias shift": the code's bits moved to a float16's exponent and mantissa are the
 * value over 2^12, so that the scale takes that factor and no exponent needs work (`halfBits`). No speed is claimed: there is no
 * kernel for it here.
 */
import { int, number, oneOf } from "../../shared/schema.ts";
import { packedBytes } from "./blocks/bit-packing.ts";
import { encodeBlocks } from "./blocks/book-blocks.ts";
import { e3m2 } from "./blocks/code-books.ts";
import { bookColumns } from "./blocks/grid-columns.ts";
import { sweepColumns } from "./blocks/hessian-solver.ts";
import { groupsOf } from "./blocks/uniform-grid.ts";
import type { MatrixShape } from "./context.ts";
import { defineQuantizer } from "./define.ts";
import { granularityOf, packedRows, unpackedRows } from "./formats/grid.ts";
import { floatsOf, halfScale, storedHalf } from "./half.ts";
import type { PackedFormat, PackedMatrix } from "./packed.ts";
import { arrayOf, bytesOf, numberOf } from "./packed.ts";

/** `high` uint8 [rows, ⌈columns / 2⌉]: sign and exponent; `low` uint8 [rows, ⌈columns / 4⌉]: the mantissa; `scales` float16 [rows, groups]. */
const fp6Format: PackedFormat = {
  name: "fp6",
  expand(packed, into) {
    const { rows, columns } = packed;
    const group = numberOf(packed, "group");
    const { perRow } = groupsOf(packed, granularityOf(group));
    const size = group > 0 ? group : columns;
    const high = unpackedRows(bytesOf(packed, "high"), rows, columns, 4);
    const low = unpackedRows(bytesOf(packed, "low"), rows, columns, 2);
    const scales = floatsOf(arrayOf(packed, "scales"));
    if (scales.length !== (group === 0 ? 1 : rows * perRow))
      throw new RangeError(`${scales.length} scales of ${rows} rows.`);
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column;
        const scale = scales[group === 0 ? 0 : row * perRow + Math.floor(column / size)] ?? NaN;
        into[at] = (e3m2.values[((high[at] ?? 0) << 2) | (low[at] ?? 0)] ?? NaN) * scale;
      }
  },
};

export const fp6 = defineQuantizer({
  name: "fp6",
  title: "ZeroQuant(4+2) FP6",
  doc: "Holds each weight as a floating-point number of 6 bits, with one scale for each row, in arrays of 4 and of 2 bits.",
  equation: "ŵ = s v, v of E3M2: ± 2^(e − 3) (1 + m / 4) up to 28, s of each row",
  use: "Choose it for nearly lossless weights without data, at three eighths of float16's bytes.",
  paperTitle:
    "ZeroQuant(4+2): Redefining LLMs Quantization with a New FP6-Centric Strategy for Diverse Generative Tasks",
  paper: "https://arxiv.org/abs/2312.08583",
  axes: { B: "6-bit floating point by rows" },
  config: {
    group: int({
      default: -1,
      min: -1,
      doc: "Neighbouring inputs of an output that share a scale; −1 for all of them, 0 for the whole matrix.",
      aliases: ["group_size"],
    }),
    rounding: oneOf(
      {
        nearest: "Each weight alone; reads no data.",
        gptq: "Column by column, the columns that are left making up for each error.",
      },
      { default: "nearest", doc: "How weights are rounded." },
    ),
    damping: number({
      default: 0.01,
      min: 0,
      doc: "Of `gptq`: added to the diagonal of the second moments, as a share of its mean.",
    }),
  },
  needs: ({ rounding }) => (rounding === "gptq" ? ["moments"] : []),
  formats: [fp6Format],
  storedBytes: ({ group }, { rows, columns }) => {
    const groups = groupsOf({ rows, columns }, granularityOf(group));
    const codes = rows * (packedBytes(columns, 4) + packedBytes(columns, 2));
    return codes + 2 * groups.rows * groups.perRow;
  },
  async quantize({ group, rounding, damping }, { rows, columns, data }, ctx) {
    const matrix = { rows, columns, data };
    const granularity = granularityOf(group);
    const options = { book: e3m2, granularity, roundScale: halfScale };
    if (rounding === "nearest") {
      const { codes, scales } = encodeBlocks(matrix, options);
      if (!(scales instanceof Float32Array)) throw new RangeError("Scales are not nested.");
      return packFp6(matrix, group, codes, scales);
    }
    const factor = await ctx.factor({ damping });
    // Groups keep their neighbours and their scales are those of the weights as they are.
    const swept = bookColumns(matrix, { ...options, staticGroups: true, dead: factor.dead });
    await sweepColumns(ctx.linalg, matrix, factor, swept.quantize);
    return packFp6(matrix, group, swept.codes, swept.scales);
  },
});

/** The float16 bits whose value times 2^12 is that of a code. */
export function halfBits(code: number): number {
  return ((code & 32) << 10) | ((code & 31) << 8);
}

/** What the value of {@link halfBits} is multiplied with. */
export const biasShift = 2 ** 12;

function packFp6(
  { rows, columns }: MatrixShape,
  group: number,
  codes: Uint8Array,
  scales: Float32Array,
): PackedMatrix {
  const groups = groupsOf({ rows, columns }, granularityOf(group));
  return {
    format: fp6Format.name,
    rows,
    columns,
    settings: { group },
    tensors: new Map([
      [
        "high",
        packedRows(
          codes.map((code) => code >> 2),
          rows,
          columns,
          4,
        ),
      ],
      [
        "low",
        packedRows(
          codes.map((code) => code & 3),
          rows,
          columns,
          2,
        ),
      ],
      ["scales", storedHalf([groups.rows, groups.perRow], scales)],
    ]),
  };
}
