/**
 * @file A matrix of another format and one of low rank that is added to it: W = base + left · right.
 *
 * `base.*` the other format's arrays, its name in the settings; `left` float16 [rows, rank], `right` float16 [rank, columns].
 */
import type { LowRank } from "../blocks/low-rank-split.ts";
import type { MatrixShape } from "../context.ts";
import { floatsOf, storedHalf } from "../half.ts";
import type { PackedFormat, PackedMatrix } from "../packed.ts";
import { arrayOf, asPart, partOf } from "../packed.ts";
import { book } from "./book.ts";
import { grid } from "./grid.ts";

const bases: readonly PackedFormat[] = [grid, book];

export const lowRankSum: PackedFormat = {
  name: "low_rank",
  expand(packed, into) {
    const { rows, columns, settings } = packed;
    const base = bases.find(({ name }) => name === settings["base"]);
    if (!base) throw new RangeError(`No matrix of ${settings["base"]} can be added to.`);
    base.expand(partOf(packed, "base", base.name), into);
    const [left, right] = [floatsOf(arrayOf(packed, "left")), floatsOf(arrayOf(packed, "right"))];
    const rank = left.length / rows;
    if (right.length !== rank * columns)
      throw new RangeError(`Factors of ${left.length} and ${right.length} numbers.`);
    const sum = new Float64Array(columns);
    for (let row = 0; row < rows; row++) {
      sum.fill(0);
      for (let k = 0; k < rank; k++) {
        const factor = left[row * rank + k] ?? NaN;
        for (let j = 0; j < columns; j++)
          sum[j] = (sum[j] ?? NaN) + factor * (right[k * columns + j] ?? NaN);
      }
      for (let j = 0; j < columns; j++)
        into[row * columns + j] = (into[row * columns + j] ?? NaN) + (sum[j] ?? NaN);
    }
  },
};

export function packLowRank(base: PackedMatrix, { left, right }: LowRank): PackedMatrix {
  const part = asPart("base", base);
  return {
    format: lowRankSum.name,
    rows: base.rows,
    columns: base.columns,
    settings: { ...part.settings, base: base.format },
    tensors: new Map([
      ...part.tensors,
      ["left", storedHalf([left.rows, left.columns], Float32Array.from(left.data))],
      ["right", storedHalf([right.rows, right.columns], Float32Array.from(right.data))],
    ]),
  };
}

/** Bytes of the factors; the rank is at most the matrix's smaller side. */
export function lowRankBytes({ rows, columns }: MatrixShape, rank: number): number {
  return 2 * Math.min(rank, rows, columns) * (rows + columns);
}
