/** @file The elementwise operators by their definitions. */
import { at } from "../../../shared/errors.ts";
import type { OpName } from "../../core/graph.ts";
import type { Evaluate } from "./tensor.ts";
import { broadcastSource, element, filled } from "./tensor.ts";

/** y = f(a, b) with broadcasting. */
export function binary(f: (a: number, b: number) => number): Evaluate<OpName> {
  return (inputs, outputs) => {
    const [a, b, y] = [at(inputs, 0), at(inputs, 1), at(outputs, 0)];
    const fromA = broadcastSource(a.shape, y.shape);
    const fromB = broadcastSource(b.shape, y.shape);
    return [filled(y, (position) => f(element(a, fromA(position)), element(b, fromB(position))))];
  };
}

/** y = f(x). */
export function unary(f: (x: number) => number): Evaluate<OpName> {
  return (inputs, outputs) => {
    const x = at(inputs, 0);
    return [filled(at(outputs, 0), (position) => f(element(x, position)))];
  };
}

export const where: Evaluate<"Where"> = (inputs, outputs) => {
  const y = at(outputs, 0);
  const sources = inputs.map(({ shape }) => broadcastSource(shape, y.shape));
  const value = (input: number, position: number): number =>
    element(at(inputs, input), at(sources, input)(position));
  return [filled(y, (position) => value(value(0, position) === 0 ? 2 : 1, position))];
};

export const gelu: Evaluate<"Gelu"> = (inputs, outputs, { approximate }) => {
  const c = Math.sqrt(2 / Math.PI);
  const f =
    approximate === "tanh"
      ? (x: number): number => 0.5 * x * (1 + Math.tanh(c * (x + 0.044715 * x ** 3)))
      : (x: number): number => 0.5 * x * (1 + erf(x * Math.SQRT1_2));
  return unary(f)(inputs, outputs, {});
};

/** Integers take the whole part; a bool is whether x is not 0. */
export const cast: Evaluate<"Cast"> = (inputs, outputs, { to }) => {
  const f = (x: number): number => {
    if (to === "bool") return Number(x !== 0);
    return to.startsWith("float") || to === "bfloat16" ? x : Math.trunc(x);
  };
  return unary(f)(inputs, outputs, {});
};

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** To the nearest integer, halves to the even one. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!, a series without cancellation; ±1 to float64 beyond 6. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
