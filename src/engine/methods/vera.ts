/**
 * @file VeRA: vectors that scale the ranks and outputs of one random pair for all layers.
 *
 * Kopiczko, Blankevoort, Asano, "VeRA: Vector-based Random Matrix Adaptation", 2023,
 * https://arxiv.org/abs/2310.11454.
 *
 *   W' = W + diag(b) B diag(d) A
 *
 *   A [r, most in]   frozen, drawn from the seed and shared by all sites, Kaiming uniform with a = 0 as peft draws it
 *   B [most out, r]  frozen, drawn from the seed and shared by all sites, the same
 *   d [r]            trained, `d_initial`
 *   b [out]          trained, zeros
 *
 * A site smaller than the largest takes the first columns of A and the first rows of B, as in peft.
 */
import { int, number } from "../../shared/schema.ts";
import { add, matmul, mul, reshape, slice } from "../core/ops.ts";
import type { Graph, Value } from "../core/graph.ts";
import { defineLinearMethod } from "./define.ts";

export const vera = defineLinearMethod({
  name: "vera",
  title: "VeRA",
  doc: "Trains two vectors at each site that scale a random low-rank pair, which all layers share and which is drawn again from the seed.",
  equation: "W' = W + diag(b) B diag(d) A, A and B random and shared",
  use: "Choose it where the adapter file must be tiny and layers are wide.",
  paperTitle: "VeRA: Vector-based Random Matrix Adaptation",
  paper: "https://arxiv.org/abs/2310.11454",
  axes: {
    P: "two diagonals",
    I: "seeded random pair",
    X: "pair shared by all sites",
    E: "adapter of peft",
  },
  config: {
    r: int({ default: 256, min: 1, doc: "Rank of the shared random pair.", aliases: ["rank"] }),
    d_initial: number({
      default: 0.1,
      above: 0,
      doc: "Where the scales of the ranks start.",
    }),
  },
  peft: {
    type: "VERA",
    tensors: { d: "vera_lambda_d", b: "vera_lambda_b" },
    // peft's own generator is another: the pair goes with the adapter.
    shared: { A: "vera_A", B: "vera_B" },
    fields: ({ r, d_initial }, { fanInFanOut }) => ({
      fan_in_fan_out: fanInFanOut,
      r,
      d_initial,
      projection_prng_key: 0,
      save_projection: true,
      vera_dropout: 0,
      bias: "none",
      init_weights: true,
    }),
    read: ({ r, d_initial }) => ({ config: { r, d_initial } }),
  },
  params: ({ out, most }, { r, d_initial }) => ({
    A: { shape: [r, most.in], init: { kaimingUniform: 0 }, trains: false, stored: false, key: "A" },
    B: {
      shape: [most.out, r],
      init: { kaimingUniform: 0 },
      trains: false,
      stored: false,
      key: "B",
    },
    d: { shape: [r], init: { constant: d_initial } },
    b: { shape: [out], init: "zeros" },
  }),
  pair: (g, { A, B, d, b }, _config, { in: n, out: m }) => ({
    A: slice(g, A, 1, 0, n),
    B: mul(g, first(g, B, m), reshape(g, b, [m, 1])),
    core: d,
    scale: 1,
  }),
  // b scales the output: B stays frozen, and no gradient of its size is made.
  forward(g, x, base, { A, B, d, b }, _config, ctx) {
    const down = matmul(g, ctx.dropout(x), slice(g, A, 1, 0, base.in), { transB: true });
    const up = matmul(g, mul(g, down, d), first(g, B, base.out), { transB: true });
    return add(g, base.apply(g, x), mul(g, up, b));
  },
});

function first(g: Graph, B: Value, rows: number): Value {
  return slice(g, B, 0, 0, rows);
}
