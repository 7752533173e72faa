/** @file Products with weights that stay packed: the forward pass reads the codes. */
import { at, invariant } from "../../shared/errors.ts";
import type { Graph, Value } from "./graph.ts";
import { sameShape } from "./shapes.ts";

/**
 * x Wᵀ with W [out, in] as NF4: codes uint8 [out·in/2], absmax float32 [out·in/blockSize], blocks along the
 * rows as bitsandbytes makes them. `decoded` is W in float32, which only the backward product reads.
 */
export function matmulNF4(
  g: Graph,
  x: Value,
  codes: Value,
  absmax: Value,
  weight: {
    readonly in: number;
    readonly out: number;
    readonly blockSize: number;
    readonly decoded: Value;
  },
): Value {
  invariant(
    x.shape.at(-1) === weight.in && sameShape(weight.decoded.shape, [weight.out, weight.in]),
    `MatMulNF4: x [${x.shape.join()}] against a weight [${weight.out}, ${weight.in}]`,
  );
  const shape = [...x.shape.slice(0, -1), weight.out];
  return at(g.emit("MatMulNF4", [x, codes, absmax], weight, [{ dtype: x.dtype, shape }]), 0);
}

/**
 * x Wᵀ with W = scale · (code − zero) [out, in] in groups along its rows: codes uint8 [out, in · bits / 8], the
 * first code lowest, scales float32 [out, groups], zeros uint8 [out, ⌈groups · bits / 8⌉]. `decoded` is W in float32, which
 * only the backward product reads. `group` is a power of two from 16 that divides `in`, `bits` 4 or 8.
 */
export function matmulNBits(
  g: Graph,
  [x, codes, scales, zeros]: readonly [Value, Value, Value, Value],
  weight: {
    readonly in: number;
    readonly out: number;
    readonly bits: number;
    readonly group: number;
    readonly decoded: Value;
  },
): Value {
  invariant(
    x.shape.at(-1) === weight.in &&
      sameShape(weight.decoded.shape, [weight.out, weight.in]) &&
      weight.in % weight.group === 0,
    `MatMulNBits: x [${x.shape.join()}] against a weight [${weight.out}, ${weight.in}]`,
  );
  const shape = [...x.shape.slice(0, -1), weight.out];
  const result = [{ dtype: x.dtype, shape }];
  return at(g.emit("MatMulNBits", [x, codes, scales, zeros], weight, result), 0);
}
