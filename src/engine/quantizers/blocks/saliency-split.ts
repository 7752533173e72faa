/** @file The few weights worth more bits, by score: exactly which, and what storing them costs to the bit. */
import { sum } from "../../../shared/sums.ts";

/** What is chosen as one: single weights, whole input columns, or groups of neighbours in a row. */
export type SalientUnit = "element" | "column" | { readonly group: number };

export interface SplitShape {
  readonly rows: number;
  readonly columns: number;
}

export interface SaliencySplit {
  readonly unit: SalientUnit;
  /** Ascending: element i · columns + j, column j, or group i · groupsPerRow + g. */
  readonly chosen: Int32Array<ArrayBuffer>;
  /** [rows · columns] 1 for weights of what was chosen. */
  readonly mask: Uint8Array<ArrayBuffer>;
}

/** How the chosen are told apart in storage. */
export type MaskStorage = "bitmap" | "indices";

/**
 * The ⌈share · units⌉ units of the largest scores (of equal ones the first), a unit's score being the
 * sum over its weights. `scores` [rows · columns]; RangeError for NaN and a share outside [0, 1].
 */
export function splitBySaliency(
  { rows, columns }: SplitShape,
  scores: ArrayLike<number>,
  share: number,
  unit: SalientUnit = "element",
): SaliencySplit {
  if (!(share >= 0 && share <= 1)) throw new RangeError(`A share is in [0, 1], not ${share}.`);
  if (scores.length !== rows * columns)
    throw new RangeError(`${scores.length} scores for ${rows} × ${columns} weights.`);
  const of = unitOf(columns, unit);
  const sums = new Float64Array(unitCount({ rows, columns }, unit));
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i] ?? NaN;
    if (Number.isNaN(score)) throw new RangeError(`The score of weight ${i} is not a number.`);
    sums[of(i)] = (sums[of(i)] ?? NaN) + score;
  }
  const ranked = Int32Array.from(sums, (_, i) => i).sort((a, b) => compare(sums[b], sums[a]));
  // A share like 0.07 of 100 is 7 and not 8, though its product is just above.
  const count = Math.ceil(share * sums.length * (1 - 2 ** -50));
  const chosen = ranked.slice(0, count).sort();
  const marks = new Uint8Array(sums.length);
  for (const index of chosen) marks[index] = 1;
  const mask = Uint8Array.from({ length: scores.length }, (_, i) => marks[of(i)] ?? 0);
  return { unit, chosen, mask };
}

/** Units of a matrix. */
function unitCount({ rows, columns }: SplitShape, unit: SalientUnit): number {
  if (unit === "element") return rows * columns;
  if (unit === "column") return columns;
  if (!Number.isSafeInteger(unit.group) || unit.group < 1)
    throw new RangeError(`A group has a whole number of weights, not ${unit.group}.`);
  return rows * Math.ceil(columns / unit.group);
}

/**
 * Bits of a split storage: each chosen weight has `high` bits, each other `low`, and the mask one bit a
 * unit, or as many bits for each chosen one as its index needs. Scales come on top.
 */
export function splitBits(
  shape: SplitShape,
  split: SaliencySplit,
  bits: { readonly high: number; readonly low: number; readonly mask: MaskStorage },
): number {
  const high = sum(split.mask);
  const units = unitCount(shape, split.unit);
  const index = Math.ceil(Math.log2(Math.max(1, units)));
  const mask = bits.mask === "bitmap" ? units : split.chosen.length * index;
  return high * bits.high + (split.mask.length - high) * bits.low + mask;
}

function unitOf(columns: number, unit: SalientUnit): (element: number) => number {
  if (unit === "element") return (i) => i;
  if (unit === "column") return (i) => i % columns;
  const perRow = Math.ceil(columns / unit.group);
  return (i) => Math.floor(i / columns) * perRow + Math.floor((i % columns) / unit.group);
}

/** Ascending; infinities compare, and equal ones keep their order. */
function compare(a: number | undefined, b: number | undefined): number {
  const [x, y] = [a ?? NaN, b ?? NaN];
  return x < y ? -1 : x > y ? 1 : 0;
}
