/**
 * @file Scalar code books: the values that the codes of 1 to 8 bits stand for, and the nearest code of a number.
 *
 * NF-k as in LQ-LoRA (Guo, Greengard, Xing, Kim, 2023, https://arxiv.org/abs/2311.12023), FP8 as in
 * "FP8 Formats for Deep Learning" (Micikevicius and others, 2022, https://arxiv.org/abs/2209.05433), E2M1
 * as in the OCP microscaling formats, E3M2 as in ZeroQuant(4+2) (2023, https://arxiv.org/abs/2312.08583).
 */
import { fp4CodeBook, nf4CodeBook } from "../../../../kernels/nf4/code-books.ts";
import { dynamicMap } from "../../../../kernels/nf4/nested-scales.ts";

export interface CodeBook {
  readonly name: string;
  /** Of a code, 1 to 8. */
  readonly bits: number;
  /** By code; codes without a value are NaN and never chosen. */
  readonly values: Float32Array<ArrayBuffer>;
  /** The largest magnitude. */
  readonly top: number;
  /** The code of the nearest value; ties go as the format says. NaN is not to be asked for. */
  readonly nearest: (value: number) => number;
}

/** Where a number half way between two values goes: to the lower, the upper, the one nearer zero, or the even code. */
type Ties = "lower" | "upper" | "zero" | "even";

/** A book of at most 256 float32 values by code. Equal values are ordered by code. */
export function codeBook(name: string, values: ArrayLike<number>, ties: Ties = "lower"): CodeBook {
  const held = Float32Array.from(values);
  const value = (code: number) => held[code] ?? NaN;
  const order = [...held.keys()].filter((code) => Number.isFinite(value(code)));
  if (order.length < 2 || held.length > 256)
    throw new RangeError(`A code book has 2 to 256 values, not ${order.length}.`);
  order.sort((a, b) => value(a) - value(b) || a - b);
  const middles = new Float32Array(order.length - 1);
  const rises = new Uint8Array(order.length - 1);
  for (const [i, code] of order.slice(1).entries()) {
    const below = order[i] ?? 0;
    middles[i] = Math.fround(value(below) + value(code)) / 2;
    const rise = {
      lower: false,
      upper: true,
      zero: Math.abs(value(code)) < Math.abs(value(below)),
      even: code % 2 === 0 && below % 2 === 1,
    };
    rises[i] = Number(rise[ties]);
  }
  return {
    name,
    bits: Math.ceil(Math.log2(held.length)),
    values: held,
    top: order.reduce((most, code) => Math.max(most, Math.abs(value(code))), 0),
    nearest: (y) => {
      let low = 0;
      let high = middles.length;
      while (low < high) {
        const at = (low + high) >> 1;
        const middle = middles[at] ?? NaN;
        if (middle < y || (middle === y && rises[at] === 1)) low = at + 1;
        else high = at;
      }
      return order[low] ?? 0;
    },
  };
}

/** NF4 for matrices by rows and groups; `four-bit.ts` makes the blocks of bitsandbytes. */
export const nf4 = codeBook("nf4", nf4CodeBook);

/** Quantiles of the normal distribution, 3 below zero, zero, 4 above: LQ-LoRA's rule for 3 bits. */
export const nf3 = codeBook("nf3", [
  ...[-1, -0.4786291718482971, -0.21714182198047638, 0],
  ...[0.16093017160892487, 0.33791518211364746, 0.5626169443130493, 1],
]);

/** One value below zero, zero, two above. */
export const nf2 = codeBook("nf2", [-1, 0, 0.33791518211364746, 1]);

/** bitsandbytes' own FP4. */
export const fp4 = codeBook("fp4", fp4CodeBook);

/** The signed dynamic 8-bit map of bitsandbytes. */
export const dynamic8 = codeBook("dynamic8", dynamicMap);

/** 0, ½, 1, 1½, 2, 3, 4, 6 and their negatives. */
export const e2m1 = floatBook("e2m1", { exponent: 2, mantissa: 1, bias: 1 });

/** FP6 without infinities and NaN, up to 28. */
export const e3m2 = floatBook("e3m2", { exponent: 3, mantissa: 2, bias: 3 });

/** FP8 up to 448; only all ones are no number. */
export const e4m3 = floatBook("e4m3", { exponent: 4, mantissa: 3, bias: 7, top: 448 });

/** FP8 up to 57,344; the largest exponent is no number. */
export const e5m2 = floatBook("e5m2", { exponent: 5, mantissa: 2, bias: 15, top: 57344 });

/** −1, 0, 1. */
export const ternary = codeBook("ternary", [-1, 0, 1], "zero");

/** −1 and 1, to which 0 goes. */
export const binary = codeBook("binary", [-1, 1], "upper");

/**
 * Powers of two from 1 down, of both signs: 2^(bits−1) of them, one less where code 0 stands for zero.
 * Without zero these are the levels of DenseShift (2022, https://arxiv.org/abs/2208.09708) over their largest.
 */
export function powersOfTwo(bits: number, { zero }: { readonly zero: boolean }): CodeBook {
  if (!Number.isInteger(bits) || bits < 2 || bits > 8)
    throw new RangeError(`Powers of two have 2 to 8 bits, not ${bits}.`);
  const half = 2 ** (bits - 1);
  const least = zero ? half - 1 : half;
  // Codes count the magnitude up from the smallest, with the sign as the highest bit.
  const positive = Array.from({ length: half }, (_, code) =>
    zero && code === 0 ? 0 : 2 ** (code + 1 - (zero ? 1 : 0) - least),
  );
  const negative = positive.map((value) => (value === 0 ? NaN : -value));
  return codeBook(`pow2-${bits}${zero ? "" : "-no-zero"}`, [...positive, ...negative]);
}

interface FloatFormat {
  readonly exponent: number;
  readonly mantissa: number;
  readonly bias: number;
  /** Codes beyond are no numbers. */
  readonly top?: number;
}

/** A sign, an exponent and a mantissa as in IEEE 754, the code being the bits; ties go to the even one. */
function floatBook(
  name: string,
  { exponent, mantissa, bias, top = Infinity }: FloatFormat,
): CodeBook {
  const half = 2 ** (exponent + mantissa);
  const steps = 2 ** mantissa;
  const values = Array.from({ length: 2 * half }, (_, code) => {
    const [e, m] = [Math.floor((code % half) / steps), code % steps];
    const magnitude = e === 0 ? (m / steps) * 2 ** (1 - bias) : (1 + m / steps) * 2 ** (e - bias);
    // A zero with a sign would be a second code of the same value.
    if (magnitude > top || (code >= half && magnitude === 0)) return NaN;
    return code < half ? magnitude : -magnitude;
  });
  return codeBook(name, values, "even");
}
