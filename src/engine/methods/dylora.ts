/**
 * @file DyLoRA: a pair that is trained at a random rank in each step, so that it can be cut at any.
 *
 * Valipour, Rezagholizadeh, Kobyzev, Ghodsi, "DyLoRA: Parameter Efficient Tuning of Pre-trained Models using Dynamic
 * Search-Free Low-Rank Adaptation", 2022, https://arxiv.org/abs/2210.07558.
 *
 *   each step: b uniform from 1 … r;   W' = W + s B[:, :b] A[:b],   s = alpha / r
 *
 *   A [r, in]   trained, Kaiming uniform with a = √5
 *   B [out, r]  trained, zeros
 *   on [r]      frozen: 1 for the ranks of the step, 1 for all between steps
 *
 * The scale stays the same for every b; a widespread port multiplies by √(r / b) while it trains. All sites take the
 * same b. With `update: last` rank b alone moves, whatever momentum the optimizer has.
 */
import { int, number, oneOf } from "../../shared/schema.ts";
import { defineLinearMethod } from "./define.ts";
import { keptColumns, keptRows } from "./kept-parts.ts";

export const dylora = defineLinearMethod({
  name: "dylora",
  title: "DyLoRA",
  doc: "Trains a pair at another rank in each step, so that afterwards it is good at every rank up to r.",
  equation: "W' = W + s B[:, :b] A[:b], b drawn in each step",
  use: "Choose it where one run should serve several ranks, cut off afterwards.",
  paperTitle:
    "DyLoRA: Parameter Efficient Tuning of Pre-trained Models using Dynamic Search-Free Low-Rank Adaptation",
  paper: "https://arxiv.org/abs/2210.07558",
  axes: { P: "low-rank pair", R: "nested ranks", E: "plain LoRA" },
  config: {
    r: int({ default: 8, min: 1, doc: "The largest rank.", aliases: ["rank"] }),
    alpha: number({ default: 16, above: 0, doc: "Scale: W' = W + (alpha / r) B A." }),
    update: oneOf(
      { all: "All ranks up to the step's.", last: "The step's rank alone." },
      { default: "all", doc: "Which ranks a step changes." },
    ),
  },
  params: ({ in: n, out: m }, { r }) => ({
    A: { shape: [r, n], init: { kaimingUniform: Math.sqrt(5) } },
    B: { shape: [m, r], init: "zeros" },
    on: { shape: [r], init: "ones", trains: false },
  }),
  pair: (_g, { A, B, on }, { r, alpha }) => ({ A, B, core: on, scale: alpha / r }),
  roles: { A: "A", B: "B" },
  hooks: ({ r, update }) => {
    let restore: readonly (() => void)[] = [];
    return {
      beforeStep(sites, { random }) {
        const drawn = new Float32Array(1);
        random("rank").uniform(drawn, 0, r);
        const rank = 1 + Math.min(r - 1, Math.floor(drawn[0] ?? 0));
        for (const { tensor } of sites)
          tensor("on").weight.forEach((_, k, on) => {
            on[k] = k < rank ? 1 : 0;
          });
        const still = (k: number): boolean => k >= rank || (update === "last" && k < rank - 1);
        restore = sites.flatMap(({ tensor }) => [
          keptRows(tensor("A"), still),
          keptColumns(tensor("B"), still),
        ]);
      },
      afterStep(sites) {
        for (const put of restore) put();
        for (const { tensor } of sites) tensor("on").weight.fill(1);
      },
    };
  },
});
