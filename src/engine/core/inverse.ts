/** @file The inverse of small symmetric positive definite matrices within a graph, of operators that every device has. */
import { at, invariant } from "../../shared/errors.ts";
import type { Graph, Value } from "./graph.ts";
import {
  abs,
  constant,
  detach,
  matmul,
  mul,
  reciprocal,
  reduceMax,
  reduceSum,
  sub,
} from "./ops.ts";

/** From I / ‖M‖_∞ on, these double the digits until 2^steps is some 20 times the condition number. */
const defaultSteps = 16;

/**
 * M⁻¹ of M [..., n, n] by Newton's steps X ← X (2 I − M X) (Schulz, 1933), with X₀ = I / ‖M‖_∞. Of directions in which
 * M is smaller than ‖M‖_∞ / 2^steps it gives less than the inverse, never more: worse conditioning damps.
 *
 * The gradient flows through the last step alone, at whose fixed point it is the inverse's own: dM = −Xᵀ dX Xᵀ.
 */
export function inverse(g: Graph, M: Value, steps = defaultSteps): Value {
  const [n, width] = [at(M.shape, M.shape.length - 2), at(M.shape, M.shape.length - 1)];
  invariant(n === width, `an inverse of [${M.shape.join()}]`);
  const twice = constant(g, "float32", [n, n], diagonal(n, 2));
  const still = detach(g, M);
  const columns = reduceSum(g, abs(g, still), [M.shape.length - 1]);
  const norm = reduceMax(g, columns, [M.shape.length - 2]);
  let X = mul(g, reciprocal(g, norm), constant(g, "float32", [n, n], diagonal(n, 1)));
  for (let step = 0; step < steps; step++) X = matmul(g, X, sub(g, twice, matmul(g, still, X)));
  return matmul(g, X, sub(g, twice, matmul(g, M, X)));
}

/** The identity [n, n]. */
export function identity(g: Graph, n: number): Value {
  return constant(g, "float32", [n, n], diagonal(n, 1));
}

function diagonal(n: number, value: number): Float32Array {
  return Float32Array.from({ length: n * n }, (_, place) => (place % (n + 1) === 0 ? value : 0));
}
