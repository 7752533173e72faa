/**
 * @file MiSS: the inputs are summed in groups before one trained matrix; the main form of Bone.
 *
 * Kang, Yin, "MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure", 2024,
 * https://arxiv.org/abs/2409.15371.
 *
 *   ΔW[:, c] = M[c mod r, :]ᵀ,   y = x Wᵀ + (Σ over the ⌈in / r⌉ chunks of x) M
 *
 *   M [r, out]  trained, zeros; chunks of x are r wide, the last one filled with zeros
 *
 * It is a pair whose A is fixed: A[k, c] = 1 where c mod r = k. Bone's other form, Bat, whose blocks multiply those of W,
 * and peft's "mini", which tiles M along the outputs, are not here: adapters of them are refused by name.
 */
import { int } from "../../shared/schema.ts";
import { add, constant, matmul, matrixTranspose, pad, reduceSum, reshape } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";

export const miss = defineLinearMethod({
  name: "miss",
  title: "MiSS (Bone)",
  doc: "Trains one matrix behind sums over chunks of the input: a pair without its first product, so that a step costs less than LoRA's.",
  equation: "W' = W + ΔW, ΔW[:, c] = M[c mod r]ᵀ",
  use: "Choose it where steps must be cheap: one thin product where LoRA has two.",
  paperTitle: "MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure",
  paper: "https://arxiv.org/abs/2409.15371",
  axes: { P: "shared blocks", X: "sharing inside a matrix", E: "adapter of peft" },
  config: {
    r: int({
      default: 64,
      min: 1,
      doc: "Width of the chunks, the rank of the update.",
      aliases: ["rank"],
    }),
  },
  peft: {
    type: "MISS",
    tensors: { M: "miss_block" },
    fields: ({ r }) => ({ r, miss_dropout: 0, mini_r: 1, bias: "none", init_weights: true }),
    read: ({ r, init_weights: how }) => ({
      config: { r },
      // Its other two forms have blocks of other shapes.
      unknown: typeof how === "string" ? "init_weights" : undefined,
    }),
  },
  params: ({ out }, { r }) => ({ M: { shape: [r, out], init: "zeros" } }),
  pair: (g, { M }, { r }, { in: n }) => {
    const data = Float32Array.from({ length: r * n }, (_, place) =>
      (place % n) % r === Math.floor(place / n) ? 1 : 0,
    );
    return { A: constant(g, "float32", [r, n], data), B: matrixTranspose(g, M), scale: 1 };
  },
  forward(g, x, base, { M }, { r }, ctx) {
    const dropped = ctx.dropout(x);
    const [rows = 1] = dropped.shape;
    const chunks = Math.ceil(base.in / r);
    const filled = pad(g, dropped, 1, 0, chunks * r - base.in);
    const sums = reduceSum(g, reshape(g, filled, [rows, chunks, r]), [1]);
    return add(g, base.apply(g, x), matmul(g, reshape(g, sums, [rows, r]), M));
  },
});
