/**
 * @file DoRA: the direction of each output's weights learns by a low-rank pair, its length by a number of its own.
 *
 * Liu, Wang, Yin, Molchanov, Wang, Cheng, Chen, "DoRA: Weight-Decomposed Low-Rank Adaptation", 2024,
 * https://arxiv.org/abs/2402.09353.
 *
 *   V = W + s B A,   W' = diag(m / ‖V‖) V,   ‖V‖ the norm of each row
 *
 *   A [r, in]   trained, Kaiming uniform with a = √5
 *   B [out, r]  trained, zeros
 *   m [out]     trained, the norms of the rows of V at the start
 *
 * The gradient takes ‖V‖ as a constant (section 4.3 of the paper), as in peft. The norms follow from those of W, which
 * are computed once, and from products with A: ‖V_o‖² = ‖W_o‖² + 2 s B_o (A W_oᵀ) + s² B_o (A Aᵀ) B_oᵀ, so that a
 * quantized base is never expanded for them.
 */
import { bool, int, number } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import {
  add,
  detach,
  div,
  matmul,
  matrixTranspose,
  mul,
  reduceSum,
  reshape,
  scale,
  sqrt,
} from "../core/ops.ts";
import type { LinearBase } from "./define.ts";
import { defineLinearMethod } from "./define.ts";
import { scaling } from "./lora.ts";
import { mergedPair, pairForward, pairOutput } from "./pair.ts";
import type { Pair } from "./pair.ts";

export const dora = defineLinearMethod({
  name: "dora",
  title: "DoRA",
  doc: "Trains a low-rank pair for the direction of each output's weights and a number for their length, as full fine-tuning changes the two apart.",
  equation: "V = W + s B A, W' = diag(m / ‖V‖) V",
  use: "Choose it where LoRA at a low rank falls short and a step may cost somewhat more.",
  paperTitle: "DoRA: Weight-Decomposed Low-Rank Adaptation",
  paper: "https://arxiv.org/abs/2402.09353",
  axes: { P: "low-rank pair and magnitude", E: "adapter of peft" },
  evidence: "reference",
  config: {
    r: int({ default: 8, min: 1, doc: "Rank of the update B A.", aliases: ["rank"] }),
    alpha: number({
      default: 16,
      above: 0,
      doc: "Scale of the pair: V = W + (alpha / r) B A.",
      aliases: ["lora_alpha"],
    }),
    use_rslora: bool({ default: false, doc: "Scale by alpha / √r instead of alpha / r." }),
  },
  peft: {
    type: "LORA",
    tensors: { A: "lora_A.weight", B: "lora_B.weight", m: "lora_magnitude_vector" },
    dora: true,
  },
  params: ({ in: n, out: m }, { r }) => ({
    A: { shape: [r, n], init: { kaimingUniform: Math.sqrt(5) } },
    B: { shape: [m, r], init: "zeros" },
    m: { shape: [m], init: "ones" },
  }),
  pair: (_g, { A, B }, config) => ({ A, B, scale: scaling(config) }),
  roles: { A: "A", B: "B" },
  weight(g, W, { A, B, m }, config) {
    const V = mergedPair(g, W, { A, B, scale: scaling(config) });
    const norms = sqrt(g, detach(g, reduceSum(g, mul(g, V, V), [1])));
    return mul(g, V, div(g, reshape(g, m, norms.shape), norms));
  },
  forward(g, x, base, { A, B, m }, config, ctx) {
    const pair = { A, B, scale: scaling(config) };
    const factor = div(g, m, sqrt(g, detach(g, norms2(g, base, pair))));
    if (!ctx.drops) return mul(g, pairForward(g, x, base, pair, ctx), factor);
    // Dropout is on what the pair adds to the base's output, to which the change of the length belongs, as in peft.
    const dropped = ctx.dropout(x);
    const again = base.apply(g, dropped);
    const turned = mul(g, add(g, again, pairOutput(g, dropped, pair)), factor);
    return add(g, base.apply(g, x), add(g, turned, scale(g, again, -1)));
  },
  start: () => ({
    needs: ["weight"],
    async run(site, ctx) {
      const W = await ctx.weight("held");
      const [A, B] = [ctx.value("A"), ctx.value("B")];
      const m = new Float32Array(site.out);
      const row = new Float64Array(site.in);
      for (let o = 0; o < site.out; o++) {
        row.set(W.subarray(o * site.in, (o + 1) * site.in));
        for (let k = 0; k < ctx.rank; k++) {
          const factor = ctx.scale * (B[o * ctx.rank + k] ?? 0);
          if (factor === 0) continue;
          for (let i = 0; i < site.in; i++)
            row[i] = (row[i] ?? 0) + factor * (A[k * site.in + i] ?? 0);
        }
        m[o] = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
      }
      return { tensors: new Map([["m", m]]) };
    },
  }),
});

/** ‖W_o + s B_o A‖² of each row [out]. */
function norms2(g: Graph, base: LinearBase, { A, B, scale: s }: Pair): Value {
  const AW = matrixTranspose(g, base.apply(g, A));
  const crossed = rowSums(g, mul(g, B, AW));
  const gram = matmul(g, A, A, { transB: true });
  const squared = rowSums(g, mul(g, matmul(g, B, gram), B));
  return add(g, base.rowNorms2(g), add(g, scale(g, crossed, 2 * s), scale(g, squared, s * s)));
}

function rowSums(g: Graph, x: Value): Value {
  const [rows = 1] = x.shape;
  return reshape(g, reduceSum(g, x, [1]), [rows]);
}
