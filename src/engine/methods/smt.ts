/**
 * @file SMT: the square blocks of the weight whose gradient is largest train, and nothing else.
 *
 * He, Zhang, Wang, Zhang, Zhang, Li, "Sparse Matrix in Large Language Model Fine-tuning", 2024,
 * https://arxiv.org/abs/2405.15525.
 *
 *   W'[block k] = W[block k] + V_k
 *
 *   rows [n], columns [n]  frozen, places of the blocks, those of the largest mean |G|
 *   V [n, b, b]            trained, zeros
 *
 * The paper trains the whole matrices for a hundred steps to find the blocks, and ranks those of all matrices together;
 * here the gradient before the first step decides, matrix by matrix. b is the largest size up to `block` that divides both
 * sides.
 */
import { int, share as shareField } from "../../shared/schema.ts";
import { invariant } from "../../shared/errors.ts";
import type { Graph, Value } from "../core/graph.ts";
import {
  add,
  constant,
  expand,
  gather,
  matmul,
  mul,
  reshape,
  scalar,
  scatterAdd,
  transpose,
} from "../core/ops.ts";
import type { SiteShape } from "./define.ts";
import { defineLinearMethod } from "./define.ts";

export const smt = defineLinearMethod({
  name: "smt",
  title: "SMT",
  doc: "Trains the square blocks of each weight that the gradient before the first step marks as the most important.",
  equation: "W'[block k] = W[block k] + V_k, where |G| is largest",
  use: "Choose it where more should train than a low rank holds, in few places of each weight.",
  paperTitle: "Sparse Matrix in Large Language Model Fine-tuning",
  paper: "https://arxiv.org/abs/2405.15525",
  axes: { P: "blocks of W", R: "blocks of the largest gradient", E: "merged only" },
  mergesOnly: "its blocks lie all over the weight",
  config: {
    block: int({
      default: 256,
      min: 1,
      doc: "Side of a block at most; it divides both sides of the weight.",
    }),
    share: shareField({
      default: 0.05,
      above: 0,
      doc: "Share of each weight's blocks that trains; at least one.",
    }),
  },
  params(site, config) {
    const { size, count } = blocksOf(site, config);
    const place = { shape: [count], init: "zeros", trains: false, dtype: "int32" } as const;
    return { rows: place, columns: place, V: { shape: [count, size, size], init: "zeros" } };
  },
  weight(g, W, { rows, columns, V }, config, site) {
    const { size, across } = blocksOf(site, config);
    const down = site.out / size;
    const [count = 1] = rows.shape;
    // Each block's row of blocks, as a row of zeros but for the block.
    const own = onlyAt(g, columns, V, across, size);
    const zeros = expand(g, scalar(g, 0), [down, across * size * size]);
    const all = scatterAdd(g, zeros, rows, reshape(g, own, [count, across * size * size]));
    const blocks = transpose(g, reshape(g, all, [down, across, size, size]), [0, 2, 1, 3]);
    return add(g, W, reshape(g, blocks, [site.out, site.in]));
  },
  forward(g, x, base, { rows, columns, V }, config, ctx) {
    const { size, across } = blocksOf(base, config);
    const down = base.out / size;
    const dropped = ctx.dropout(x);
    const [tokens = 1] = dropped.shape;
    const chunks = transpose(g, reshape(g, dropped, [tokens, across, size]), [1, 0, 2]);
    const updates = matmul(g, gather(g, chunks, columns), V, { transB: true });
    const zeros = expand(g, scalar(g, 0), [down, tokens, size]);
    const summed = transpose(g, scatterAdd(g, zeros, rows, updates), [1, 0, 2]);
    return add(g, base.apply(g, x), reshape(g, summed, [tokens, base.out]));
  },
  start: (config) => ({
    needs: ["gradient"],
    calibration: { samples: 100, single: false, counts: "all" },
    async run(site, ctx) {
      const G = await ctx.gradient();
      const { size, across, count } = blocksOf(site, config);
      const scores = new Float64Array((site.out / size) * across);
      for (let row = 0; row < site.out; row++)
        for (let column = 0; column < site.in; column++) {
          const place = Math.floor(row / size) * across + Math.floor(column / size);
          scores[place] = (scores[place] ?? 0) + Math.abs(G[row * site.in + column] ?? 0);
        }
      const best = Array.from(scores.keys())
        .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
        .slice(0, count);
      return {
        tensors: new Map([
          ["rows", Int32Array.from(best, (place) => Math.floor(place / across))],
          ["columns", Int32Array.from(best, (place) => place % across)],
        ]),
      };
    },
  }),
});

/** [n, across, b, b]: V_k at the place that columns names, zeros elsewhere. */
function onlyAt(g: Graph, columns: Value, V: Value, across: number, size: number): Value {
  const [count = 1] = columns.shape;
  const eye = Float32Array.from({ length: across * across }, (_, at) =>
    at % (across + 1) === 0 ? 1 : 0,
  );
  const marks = gather(g, constant(g, "float32", [across, across], eye), columns);
  return mul(g, reshape(g, marks, [count, across, 1, 1]), reshape(g, V, [count, 1, size, size]));
}

function blocksOf(
  { in: n, out: m }: SiteShape,
  { block, share }: { readonly block: number; readonly share: number },
): { readonly size: number; readonly across: number; readonly count: number } {
  let size = Math.min(block, n, m);
  while (n % size !== 0 || m % size !== 0) size -= 1;
  invariant(size > 0, "1 divides every size");
  const all = (n / size) * (m / size);
  return { size, across: n / size, count: Math.max(1, Math.round(share * all)) };
}
