/**
 * @file FISH mask: the elements of the weights with the largest Fisher information train, over all modules.
 *
 * Sung, Nair, Raffel, "Training Neural Networks with Fixed Sparse Masks", 2021, https://arxiv.org/abs/2111.09839.
 *
 *   F = Σ over examples of (∂ loss / ∂ W)²,   W'_j = W_j + v_j for the k elements j with the largest F
 *
 *   J [k_l]  frozen, places in W [out · in] by rows, ascending
 *   v [k_l]  trained, zeros
 *
 * k = ⌊share · elements of the adapted weights⌋ over all modules together. The labels are the data's own (the paper's
 * empirical Fisher). The authors count a classifier, which trains whole, against k; here it is beside it, as with
 * every method. W is written as it is read: one product with W', whose gradient is gathered at J.
 */
import { at, invariant } from "../../shared/errors.ts";
import { int, share as shareField } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { add, expand, matmul, reshape, scalar, scatterAdd } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";
import type { Allocated, AllocationSite } from "./start.ts";

export const fish = defineLinearMethod({
  name: "fish",
  title: "FISH mask",
  doc: "Trains the single weights that matter most for the data: those with the largest Fisher information of all modules.",
  equation: "W'_j = W_j + v_j for the elements j with the largest Fisher information",
  use: "Choose it where the fewest elements should change, and time to find them is there.",
  paperTitle: "Training Neural Networks with Fixed Sparse Masks",
  paper: "https://arxiv.org/abs/2111.09839",
  axes: { P: "elements of W", R: "global top by Fisher information", E: "merged only" },
  mergesOnly: "its elements lie all over the weight",
  config: {
    share: shareField({
      default: 0.005,
      above: 0,
      doc: "Share of the adapted weights' elements that trains, over all modules together.",
    }),
    samples: int({
      default: 1024,
      min: 1,
      doc: "Training examples that the Fisher information is summed over, one by one.",
    }),
  },
  params(site, { share }) {
    const count = site.allocated ?? budget(share, site.in * site.out);
    return {
      J: { shape: [count], init: "zeros", trains: false, dtype: "int32" },
      v: { shape: [count], init: "zeros" },
    };
  },
  weight: (g, W, { J, v }) => written(g, W, J, v),
  forward(g, x, base, { J, v }, _config, ctx) {
    if (!ctx.drops) return matmul(g, x, written(g, base.dense(g), J, v), { transB: true });
    const zeros = expand(g, scalar(g, 0), [base.out, base.in]);
    const change = matmul(g, ctx.dropout(x), written(g, zeros, J, v), { transB: true });
    return add(g, base.apply(g, x), change);
  },
  start: ({ share, samples }) => ({
    needs: ["fisher"],
    calibration: { samples, single: true, counts: "all" },
    allocate: (sites) => largest(sites, share),
    sized: "v",
    run(site, { kept }) {
      invariant(kept instanceof Int32Array, `${site.module} was given no places`);
      return Promise.resolve({ tensors: new Map([["J", kept]]) });
    },
  }),
});

/** W with v added at the places J. */
function written(g: Graph, W: Value, J: Value, v: Value): Value {
  const [out = 1, width = 1] = W.shape;
  const flat = reshape(g, W, [out * width, 1]);
  return reshape(g, scatterAdd(g, flat, J, reshape(g, v, [...v.shape, 1])), [out, width]);
}

function budget(share: number, elements: number): number {
  return Math.max(1, Math.floor(share * elements));
}

interface Candidate {
  readonly score: number;
  readonly site: number;
  readonly place: number;
}

/** The places of the largest scores of all sites; of equal ones those that come first. */
async function largest(
  sites: readonly AllocationSite[],
  share: number,
): Promise<ReadonlyMap<string, Allocated>> {
  const elements = sites.reduce((sum, { site }) => sum + site.in * site.out, 0);
  const count = budget(share, elements);
  let best: Candidate[] = [];
  let least = -Infinity;
  const keepBest = (): void => {
    best.sort((a, b) => b.score - a.score || a.site - b.site || a.place - b.place);
    best = best.slice(0, count);
    if (best.length === count) least = at(best, count - 1).score;
  };
  for (const [site, { ctx }] of sites.entries()) {
    for (const [place, score] of (await ctx.fisher()).entries()) {
      if (score <= least) continue;
      best.push({ score, site, place });
      if (best.length >= 2 * count + 1024) keepBest();
    }
    keepBest();
  }
  const places = sites.map((): number[] => []);
  for (const { site, place } of best) at(places, site).push(place);
  return new Map(
    sites.map(({ site }, index) => {
      const kept = Int32Array.from(at(places, index)).toSorted();
      return [site.module, { size: kept.length, kept }];
    }),
  );
}
