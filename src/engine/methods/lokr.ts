/**
 * @file LoKr: a Kronecker product of two small matrices beside the weight.
 *
 * Yeh, Hsieh, Gao, Yang, Oh, Gong, "Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model
 * Evaluation", 2023, https://arxiv.org/abs/2309.14859; sizes and scale as in peft.
 *
 *   W' = W + s w1 ⊗ w2,   s = alpha / r
 *
 *   w1 [a1, a2]    trained, zeros
 *   w2 [b1, b2]    trained, Kaiming uniform with a = √5, where r ≥ max(b1, b2) / 2; else
 *   w2_a [b1, r] and w2_b [r, b2]  trained, the same, w2 = w2_a w2_b
 *
 * a1 b1 = out and a2 b2 = in, each split into two factors: `factor` and the rest where it divides the size, else as near to
 * one another as can be, the smaller first.
 */
import { int, number } from "../../shared/schema.ts";
import { add, matmul, reshape, scale, transpose } from "../core/ops.ts";
import type { Graph, Value } from "../core/graph.ts";
import { invariant } from "../../shared/errors.ts";
import type { SiteShape } from "./define.ts";
import { defineLinearMethod } from "./define.ts";

export const lokr = defineLinearMethod<ReturnType<typeof config>, string>({
  name: "lokr",
  title: "LoKr",
  doc: "Trains the two factors of a Kronecker product beside each weight: a high rank in few parameters.",
  equation: "W' = W + s w1 ⊗ w2",
  use: "Choose it where updates of high rank are wanted of few numbers.",
  paperTitle:
    "Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation",
  paper: "https://arxiv.org/abs/2309.14859",
  axes: { P: "Kronecker product", E: "adapter of peft" },
  config: config(),
  peft: {
    type: "LOKR",
    patterns: ["r", "alpha"],
    fields: ({ r, alpha, factor }) => ({
      r,
      alpha,
      rank_dropout: 0,
      module_dropout: 0,
      decompose_both: false,
      decompose_factor: factor === 0 ? -1 : factor,
      rank_dropout_scale: false,
      use_effective_conv2d: false,
      init_weights: true,
      rank_pattern: {},
      alpha_pattern: {},
    }),
    read: ({ r, alpha, decompose_both: both, decompose_factor: factor = -1 }) => ({
      config: { r, alpha, factor: factor === -1 ? 0 : factor },
      unknown: both === true ? "decompose_both" : undefined,
    }),
    tensors: { w1: "lokr_w1", w2: "lokr_w2", w2_a: "lokr_w2_a", w2_b: "lokr_w2_b" },
  },
  params(site, { r, factor }) {
    const { a1, a2, b1, b2 } = factorSizes(site, factor);
    const init = { kaimingUniform: Math.sqrt(5) };
    const w1 = { shape: [a1, a2], init: "zeros" } as const;
    if (r >= Math.max(b1, b2) / 2) return { w1, w2: { shape: [b1, b2], init } };
    return { w1, w2_a: { shape: [b1, r], init }, w2_b: { shape: [r, b2], init } };
  },
  weight(g, W, { w1, ...others }, { r, alpha, factor }, site) {
    const { a1, a2, b1, b2 } = factorSizes(site, factor);
    invariant(w1, "LoKr has w1");
    const flat = matmul(
      g,
      reshape(g, w1, [a1 * a2, 1]),
      reshape(g, second(g, others), [1, b1 * b2]),
    );
    const blocks = transpose(g, reshape(g, flat, [a1, a2, b1, b2]), [0, 2, 1, 3]);
    return add(g, W, scale(g, reshape(g, blocks, [site.out, site.in]), alpha / r));
  },
  // x as [a2, b2] times w2ᵀ from the right and w1 from the left: the product is never formed.
  forward(g, x, base, { w1, ...others }, { r, alpha, factor }, ctx) {
    const { a1, a2, b1, b2 } = factorSizes(base, factor);
    invariant(w1, "LoKr has w1");
    const dropped = ctx.dropout(x);
    const [rows = 1] = dropped.shape;
    const right = matmul(g, reshape(g, dropped, [rows * a2, b2]), second(g, others), {
      transB: true,
    });
    const both = matmul(g, w1, reshape(g, right, [rows, a2, b1]), { alpha: alpha / r });
    return add(g, base.apply(g, x), reshape(g, both, [rows, a1 * b1]));
  },
});

function config() {
  return {
    r: int({
      default: 8,
      min: 1,
      doc: "Rank of the second factor, where that is not whole.",
      aliases: ["rank"],
    }),
    alpha: number({ default: 8, above: 0, doc: "Scale: W' = W + (alpha / r) w1 ⊗ w2." }),
    factor: int({
      default: 0,
      min: 0,
      doc: "Size of the first factor, where it divides the layer's: the smaller it is, the more the second trains. 0 makes both alike.",
    }),
  };
}

function second(g: Graph, { w2, w2_a: a, w2_b: b }: Readonly<Record<string, Value>>): Value {
  if (w2) return w2;
  invariant(a && b, "LoKr has a second factor");
  return matmul(g, a, b);
}

function factorSizes(
  { in: n, out: m }: SiteShape,
  factor: number,
): {
  readonly a1: number;
  readonly a2: number;
  readonly b1: number;
  readonly b2: number;
} {
  const [a1, b1] = split(m, factor);
  const [a2, b2] = split(n, factor);
  return { a1, a2, b1, b2 };
}

/** Two factors of a number as in peft: `factor` and the rest, or the nearest to one another of which one is at most `factor`. */
function split(size: number, factor: number): readonly [number, number] {
  if (factor > 0 && size % factor === 0) return [factor, size / factor];
  const most = factor === 0 ? size : factor;
  let small = Math.min(Math.floor(Math.sqrt(size)), most);
  while (size % small !== 0) small -= 1;
  return [small, size / small];
}
