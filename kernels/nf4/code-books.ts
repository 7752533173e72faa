/** @file The code books of 4-bit block quantization, as bitsandbytes has them: 16 float32 values in [-1, 1] by code. */

/** 16 values by code; each must be a float32 in [-1, 1], in any order. */
export type CodeBook = readonly number[];

/**
 * NF4 (Dettmers, Pagnoni, Holtzman, Zettlemoyer: QLoRA, 2023, https://arxiv.org/abs/2305.14314):
 * quantiles of the normal distribution, 7 below zero, zero, 8 above, scaled to [-1, 1]. The exact
 * float32 values are part of the format, so they stand here and are not computed.
 */
export const nf4CodeBook: CodeBook = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
  -0.18477343022823334, -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725,
  0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
  0.7229568362236023, 1,
];

/** Twelve times the non-negative values of FP4 by code (sign, two exponent bits, one of mantissa). */
const fp4Twelfths = [0, 0.0625, 8, 12, 4, 6, 2, 3];

/** bitsandbytes' own FP4, which is not OCP's E2M1; code 8 is a second zero. */
export const fp4CodeBook: CodeBook = [
  ...fp4Twelfths.map((value) => Math.fround(value / 12)),
  ...fp4Twelfths.map((value) => Math.fround(-value / 12)),
];

/** How values find their code: rank among sorted code values, then the code of that rank. */
export interface RankTable {
  /** 15 midpoints between neighbouring sorted values, in float32. */
  readonly midpoints: readonly number[];
  /** The code of each of the 16 ranks. */
  readonly order: readonly number[];
}

/**
 * The rank of `y` is the number of midpoints strictly below it, so a tie takes the lower value.
 * Equal values (FP4's zeros) are ordered by code.
 */
export function rankTable(book: CodeBook): RankTable {
  if (book.length !== 16) throw new RangeError(`A code book has 16 values, not ${book.length}.`);
  const value = (code: number) => book[code] ?? NaN;
  if (!book.every((x) => Math.abs(x) <= 1 && Math.fround(x) === x))
    throw new RangeError("The values of a code book are float32 numbers in [-1, 1].");
  const order = book.map((_, code) => code).sort((a, b) => value(a) - value(b) || a - b);
  const sorted = order.map(value);
  const midpoints = sorted
    .slice(1)
    .map((upper, i) => Math.fround(Math.fround((sorted[i] ?? NaN) + upper) / 2));
  return { midpoints, order };
}

/**
 * The part of a value is 15 y + 16, rounded. For each of the parts 0 … 31 of [-1, 1] the number of midpoints in parts
 * before it; undefined where a part holds two. The rank of `y` is that of its part, and one more where `y` is over the midpoint in it.
 */
export function partTable(midpoints: readonly number[]): readonly number[] | undefined {
  // The same arithmetic as of values, so that a part never comes before that of a smaller value.
  const whole = 2 ** 23 + 16;
  const parts = midpoints.map((y) => Math.fround(Math.fround(15 * y) + whole) - 2 ** 23);
  if (new Set(parts).size < parts.length) return undefined;
  return Array.from({ length: 32 }, (_, part) => parts.filter((of) => of < part).length);
}
