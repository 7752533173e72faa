/** @file What linear sites read, rounded token by token in float32: what 8-bit kernels would compute with, and no faster. */
import type { Graph, Value } from "../core/graph.ts";
import {
  abs,
  add,
  div,
  less,
  maximum,
  minimum,
  mul,
  neg,
  reduceMax,
  round,
  scalar,
  scale,
  sub,
  where,
} from "../core/ops.ts";

/** Each token has a scale of its own, which its largest entries decide. */
export type InputRounding =
  | {
      readonly type: "integer";
      readonly bits: number;
      /** Codes on both sides of 0, instead of from the least entry to the largest. */
      readonly symmetric: boolean;
    }
  /** Four bits of exponent, three of mantissa, up to 448: E4M3. */
  | { readonly type: "float8" };

/** Of x [rows, width], each row alone; rows of zeros stay. */
export function roundInputs(g: Graph, x: Value, rounding: InputRounding): Value {
  if (rounding.type === "float8") {
    const step = stepOf(g, reduceMax(g, abs(g, x), [1]), 448);
    return mul(g, toFloat8(g, div(g, x, step)), step);
  }
  const { bits, symmetric } = rounding;
  if (symmetric) {
    const top = 2 ** (bits - 1) - 1;
    const step = stepOf(g, reduceMax(g, abs(g, x), [1]), top);
    return mul(g, round(g, div(g, x, step)), step);
  }
  const top = scalar(g, 2 ** bits - 1);
  const zero = scalar(g, 0);
  const high = maximum(g, reduceMax(g, x, [1]), zero);
  const low = minimum(g, neg(g, reduceMax(g, neg(g, x), [1])), zero);
  const step = stepOf(g, sub(g, high, low), 2 ** bits - 1);
  const middle = round(g, neg(g, div(g, low, step)));
  const code = add(g, round(g, div(g, x, step)), middle);
  return mul(g, sub(g, maximum(g, minimum(g, code, top), zero), middle), step);
}

/** span / top, and something above 0 where that is 0. */
function stepOf(g: Graph, span: Value, top: number): Value {
  return maximum(g, scale(g, span, 1 / top), scalar(g, 1e-30));
}

/** The nearest value of E4M3 of |x| ≤ 448, ties to even. */
function toFloat8(g: Graph, x: Value): Value {
  // Four significant bits: Veltkamp's split. x + (c − x)-like sums are rounded where the lower bits fall off.
  const spread = scale(g, x, 2 ** 20 + 1);
  const normal = sub(g, spread, sub(g, spread, x));
  // Below the least normal value, 2⁻⁶, steps are 2⁻⁹.
  const small = scale(g, round(g, scale(g, x, 2 ** 9)), 2 ** -9);
  return where(g, less(g, abs(g, x), scalar(g, 2 ** -6)), small, normal);
}
