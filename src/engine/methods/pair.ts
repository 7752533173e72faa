/** @file The low-rank pair s B core A of a method: what it adds to a weight, and the cheap way through it. */
import type { Graph, Value } from "../core/graph.ts";
import { add, matmul, mul, scale } from "../core/ops.ts";
import type { LinearBase, SiteContext } from "./define.ts";

export interface Pair {
  /** [rank, in] */
  readonly A: Value;
  /** [out, rank] */
  readonly B: Value;
  /** [rank, rank], or the diagonal [rank]; the identity where not given. */
  readonly core?: Value;
  readonly scale: number;
}

/** W + s B core A. */
export function mergedPair(g: Graph, W: Value, pair: Pair): Value {
  return add(g, W, scale(g, matmul(g, foldedB(g, pair), pair.A), pair.scale));
}

/** B core [out, rank]: with A it is a plain pair. */
export function foldedB(g: Graph, { B, core }: Pair): Value {
  if (core === undefined) return B;
  return core.shape.length === 1 ? mul(g, B, core) : matmul(g, B, core);
}

/** x Wᵀ + s ((x Aᵀ) coreᵀ) Bᵀ: O(rank (in + out)) for each row instead of forming B A. */
export function pairForward(
  g: Graph,
  x: Value,
  base: LinearBase,
  pair: Pair,
  ctx: SiteContext,
): Value {
  return add(g, base.apply(g, x), pairOutput(g, ctx.dropout(x), pair));
}

/** s ((x Aᵀ) coreᵀ) Bᵀ. */
export function pairOutput(g: Graph, x: Value, { A, B, core, scale: factor }: Pair): Value {
  const down = matmul(g, x, A, { transB: true });
  const through =
    core === undefined
      ? down
      : core.shape.length === 1
        ? mul(g, down, core)
        : matmul(g, down, core, { transB: true });
  return matmul(g, through, B, { transB: true, alpha: factor });
}
