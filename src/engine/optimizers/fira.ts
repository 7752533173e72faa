/**
 * @file Fira: GaLore with the part of the gradient that its projection leaves out.
 *
 * Chen, Zhang, Qi, Wang, Chen, Shen, Zhang, "Fira: Can We Achieve Full-rank Training of LLMs Under Low-rank Constraint?",
 * 2024, https://arxiv.org/abs/2410.01623.
 *
 *   R, back as in GaLore;  φ = ‖Adam(R)‖ / (‖R‖ + 1e-8) for each row (out ≥ in) or column
 *   S = φ (g − back(R)), brought down to 1.01 of the last step's ‖S‖ where it has grown by more
 *   w ← w − lr √(1 − β₂ᵗ)/(1 − β₁ᵗ) · scale · (back(Adam(R)) + S)
 *
 * `scale` applies to both parts, as α does in the paper's algorithm.
 *
 *   P, m, v as in GaLore; norm [1, 1], ‖S‖ of the last step
 */
import {
  add,
  div,
  less,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  sqrt,
  sub,
  where,
  concat,
} from "../core/ops.ts";
import type { Graph, Value } from "../core/graph.ts";
import { defineUpdateRule, read } from "./define.ts";
import {
  projectedFields,
  projectedMatrix,
  projectedRule,
  projectedState,
  projectedStep,
} from "./projected.ts";

const growth = 1.01;

export const fira = defineUpdateRule({
  name: "fira",
  title: "Fira",
  doc: "GaLore that also steps along the rest of the gradient, scaled by what Adam does to the projected part.",
  equation:
    "w ← w − lr · scale · (P n + φ (g − P Pᵀ g)), n = Adam(Pᵀ g), φ = ‖n‖ / ‖Pᵀ g‖ of each row or column",
  use: "Choose it where GaLore's projection loses too much.",
  paperTitle: "Fira: Can We Achieve Full-rank Training of LLMs Under Low-rank Constraint?",
  paper: "https://arxiv.org/abs/2410.01623",
  config: projectedFields,
  axes: { U: "Adam on a projected gradient, the rest scaled" },
  evidence: "reference",
  ...projectedRule,
  matrix: {
    ...projectedMatrix,
    state: (tensor, config) => ({ ...projectedState(tensor, config), norm: [1, 1] }),
    step: (g, inputs, config, tensor) =>
      projectedStep(g, inputs, config, tensor, {
        beside({ low, adam, back, kept }) {
          const axis = kept === 0 ? 1 : 0;
          const factor = div(
            g,
            norm(g, adam, [axis]),
            add(g, norm(g, low, [axis]), scalar(g, 1e-8)),
          );
          const rest = mul(g, sub(g, inputs.gradient, back(low)), factor);
          const now = norm(g, rest, [0, 1]);
          const before = read(inputs.state, "norm");
          const grown = div(g, now, add(g, before, scalar(g, 1e-8)));
          const one = reshape(g, scalar(g, 1), [1, 1]);
          const over = larger(g, div(g, grown, scalar(g, growth)), one);
          const limiter = where(g, less(g, scalar(g, 0), before), over, one);
          return {
            update: div(g, rest, limiter),
            state: { norm: div(g, now, limiter) },
          };
        },
      }),
  },
});

/** ‖x‖₂ over axes, which stay with size 1. */
function norm(g: Graph, x: Value, axes: readonly number[]): Value {
  return sqrt(g, reduceSum(g, mul(g, x, x), axes));
}

/** The larger of two [1, 1]. */
function larger(g: Graph, a: Value, b: Value): Value {
  return reduceMax(g, concat(g, [a, b], 1), [1]);
}
