/**
 * @file MiSS: the inputs are summed in groups before one trained matrix; the main form of Bone, with its other two.
 *
 * Kang, Yin, "MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure", 2024,
 * https://arxiv.org/abs/2409.15371; Bat and "mini" as in peft.
 *
 *   ΔW[:, c] = M[c mod r, :]ᵀ,   y = x Wᵀ + (Σ over the ⌈in / r⌉ chunks of x) M
 *   with mini_r   ΔW[o, c] = M[c mod r, o mod mini_r]
 *   mode: bat     ΔW_op = W_op M_o + M_o for the blocks [r, r] of W, o down and p across
 *
 *   M [r, out], [r, mini_r] or [⌈out / r⌉, r, r]  trained, zeros; chunks of x are r wide, the last one filled with zeros
 *
 * But for Bat it is a pair whose A is fixed: A[k, c] = 1 where c mod r = k. Bat needs the dense weight; a side of it that r
 * does not divide is filled with zeros, where peft refuses it, as it does outputs that mini_r does not divide: the first
 * then leave merged, the second as plain LoRA. peft has no dropout in Bat; here it is of the update's input.
 */
import { int, oneOf } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import {
  add,
  concat,
  constant,
  matmul,
  matrixTranspose,
  pad,
  reduceSum,
  reshape,
  slice,
} from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";

export const miss = defineLinearMethod({
  name: "miss",
  title: "MiSS (Bone)",
  doc: "Trains one matrix behind sums over chunks of the input: a pair without its first product, so that a step costs less than LoRA's.",
  equation:
    "W' = W + ΔW, ΔW[:, c] = M[c mod r]ᵀ; of `bat` ΔW_op = W_op M_o + M_o for blocks [r, r]",
  use: "Choose it where steps must be cheap: one thin product where LoRA has two.",
  paperTitle: "MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure",
  paper: "https://arxiv.org/abs/2409.15371",
  axes: { P: "shared blocks", X: "sharing inside a matrix", E: "adapter of peft" },
  config: {
    r: int({
      default: 64,
      min: 1,
      doc: "Width of the chunks, the rank of the update; of `bat` the side of its blocks.",
      aliases: ["rank"],
    }),
    mode: oneOf(
      {
        shared: "All chunks of the input share one matrix.",
        bat: "Blocks of the weight are multiplied: an update of full rank, which needs the dense weight.",
      },
      { default: "shared", doc: "What the matrix does." },
    ),
    mini_r: int({
      default: null,
      min: 1,
      doc: "Of `shared`: columns of the matrix, which the outputs take in turn; as many as outputs where not given.",
    }),
  },
  peft: {
    type: "MISS",
    tensors: { M: "miss_block" },
    holds: ({ r, mode, mini_r: few }, { in: n, out: m }) =>
      mode === "bat"
        ? n % Number(r) === 0 && m % Number(r) === 0
        : few === null || m % Number(few) === 0,
    fields: ({ r, mode, mini_r: few }) => ({
      ...{ r, miss_dropout: 0, mini_r: few ?? 1, bias: "none" },
      init_weights: mode === "bat" ? "bat" : few === null || few === undefined ? true : "mini",
    }),
    read: ({ r, mini_r: few, init_weights: how }) => ({
      config: {
        r,
        mode: how === "bat" ? "bat" : "shared",
        ...(how === "mini" ? { mini_r: few } : {}),
      },
      unknown:
        typeof how === "string" && how !== "bat" && how !== "mini" ? "init_weights" : undefined,
    }),
  },
  params: ({ out }, { r, mode, mini_r: few }) => ({
    M: {
      shape: mode === "bat" ? [Math.ceil(out / r), r, r] : [r, Math.min(out, few ?? out)],
      init: "zeros",
    },
  }),
  weighs: ({ mode }) => mode === "bat",
  weight: (g, W, { M }) => add(g, W, blockUpdate(g, W, M)),
  pair: (g, { M }, { r }, { in: n, out }) => {
    const data = Float32Array.from({ length: r * n }, (_, place) =>
      (place % n) % r === Math.floor(place / n) ? 1 : 0,
    );
    const A = constant(g, "float32", [r, n], data);
    return { A, B: matrixTranspose(g, tiled(g, M, out)), scale: 1 };
  },
  forward(g, x, base, { M }, { r, mode }, ctx) {
    const dropped = ctx.dropout(x);
    if (mode === "bat") {
      const W = base.dense(g);
      const update = blockUpdate(g, W, M);
      if (!ctx.drops) return matmul(g, x, add(g, W, update), { transB: true });
      return add(g, base.apply(g, x), matmul(g, dropped, update, { transB: true }));
    }
    const [rows = 1] = dropped.shape;
    const chunks = Math.ceil(base.in / r);
    const filled = pad(g, dropped, 1, 0, chunks * r - base.in);
    const sums = reduceSum(g, reshape(g, filled, [rows, chunks, r]), [1]);
    const beside = matmul(g, reshape(g, sums, [rows, r]), M);
    return add(g, base.apply(g, x), tiled(g, beside, base.out));
  },
});

/** Columns repeated in turn until there are `out` [rows, out]. */
function tiled(g: Graph, x: Value, out: number): Value {
  const [, few = out] = x.shape;
  if (few === out) return x;
  const again = Array.from({ length: Math.ceil(out / few) }, () => x);
  return slice(g, concat(g, again, 1), 1, 0, out);
}

/** W_op M_o + M_o of all blocks [r, r] of W [out, in]. */
function blockUpdate(g: Graph, W: Value, M: Value): Value {
  const [out = 1, width = 1] = W.shape;
  const [down = 1, r = 1] = M.shape;
  const across = Math.ceil(width / r);
  const filled = pad(g, pad(g, W, 0, 0, down * r - out), 1, 0, across * r - width);
  const blocks = reshape(g, filled, [down, r * across, r]);
  const products = reshape(g, matmul(g, blocks, M), [down, r, across, r]);
  const update = add(g, products, reshape(g, M, [down, r, 1, r]));
  const whole = reshape(g, update, [down * r, across * r]);
  return slice(g, slice(g, whole, 0, 0, out), 1, 0, width);
}
