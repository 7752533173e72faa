/**
 * @file IncreLoRA: pairs start at a small rank, and modules on which the loss hangs most gain ranks until a budget is spent.
 *
 * Zhang, Li, Chen, Jiang, Wang, Qian, "IncreLoRA: Incremental Parameter Allocation Method for Parameter-Efficient
 * Fine-tuning", 2023, https://arxiv.org/abs/2308.12043.
 *
 *   W' = W + ΔW,  ΔW = (alpha / rank) Bᵀ diag(e) A;   the loss gains `orthogonality` · mean(‖A Aᵀ − I‖_F, ‖B Bᵀ − I‖_F)
 *   s = Σ |ΔW ∘ ∂L/∂ΔW| / √(in out),  mean ← β₁ mean + (1 − β₁) s,  spread ← β₂ spread + (1 − β₂) |s − mean|
 *   every `interval` steps the `top_h` modules of largest mean · spread gain `ranks_each` ranks
 *
 *   A [max_r, in], B [max_r, out]  trained, N(0, 0.02²): row k of both is one part
 *   e [max_r]                      trained, zeros: what each part weighs
 *   score [1]                      a gauge of Σ |ΔW ∘ ∂L/∂ΔW|
 *   rank [1]                       frozen: ranks that the module has, `r` at the start
 *   mean, spread [1]               frozen: averages of s and of its deviation
 *
 * The parts after a module's rank are its reserve: they train ahead at an e fixed at 1e-5, which moves once they are
 * gained. Where the budget is spent the reserve closes. Other than in the official code, which makes tensors as modules
 * grow: `max_r` bounds each module; the optimizer's averages of a new part start at zero under the step count of the run,
 * so that its first steps are up to three times as long; the last gain is cut to the budget, which there may be
 * exceeded and then never ends the reserve; new parts too are kept orthogonal to the old, there to themselves alone; of several
 * micro-batches s sums all, there it sees the last. Dividing by the rank shrinks a module's update as it grows: `keep_update`
 * scales its e up against that.
 */
import { at } from "../../shared/errors.ts";
import { bool, int, number, share } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { add, div, gauge, matmul, matrixTranspose } from "../core/ops.ts";
import { defineLinearMethod } from "./define.ts";
import type { HookSite, HookTensor } from "./hooks.ts";
import { takeReading } from "./hooks.ts";
import { addOrthogonality } from "./orthogonality.ts";
import type { Pair } from "./pair.ts";
import { foldedB, pairForward } from "./pair.ts";

/** What a part in reserve weighs. */
const reserved = 1e-5;

export const increlora = defineLinearMethod({
  name: "increlora",
  title: "IncreLoRA",
  doc: "Starts pairs at a small rank and, while it trains, gives ranks to the modules on which the loss hangs most.",
  equation: "W' = W + (alpha / rank) Bᵀ diag(e) A, rank growing where Σ |ΔW ∘ ∂L/∂ΔW| is largest",
  use: "Choose it where the budget of rank is small and should go to the modules that need it.",
  paperTitle:
    "IncreLoRA: Incremental Parameter Allocation Method for Parameter-Efficient Fine-tuning",
  paper: "https://arxiv.org/abs/2308.12043",
  axes: {
    P: "low-rank pair with weights",
    R: "grown by importance",
    U: "orthogonality penalty",
    E: "plain LoRA",
  },
  config: {
    r: int({ default: 1, min: 1, doc: "Ranks of each module at the start.", aliases: ["lora_r"] }),
    target_r: int({
      default: 8,
      min: 1,
      doc: "Mean rank of the modules at the end.",
      aliases: ["target_rank"],
    }),
    max_r: int({ default: 16, min: 1, doc: "Largest rank of a module; memory is taken for it." }),
    alpha: number({ default: 16, above: 0, doc: "Scale: ΔW = (alpha / rank) Bᵀ diag(e) A." }),
    first_steps: int({
      default: 0,
      min: 0,
      doc: "Steps before the first ranks are given.",
      aliases: ["init_warmup"],
    }),
    interval: int({
      default: 10,
      min: 1,
      doc: "Steps between two times that ranks are given.",
      aliases: ["incre_interval"],
    }),
    top_h: int({ default: 12, min: 1, doc: "Modules that gain ranks each time." }),
    ranks_each: int({
      default: 1,
      min: 1,
      doc: "Ranks that each of them gains.",
      aliases: ["incre_rank_num"],
    }),
    beta1: share({ default: 0.85, below: 1, doc: "How slowly the mean of the score follows." }),
    beta2: share({ default: 0.85, below: 1, doc: "How slowly the mean deviation follows." }),
    orthogonality: number({
      default: 0.1,
      min: 0,
      doc: "Weight of the penalty that keeps parts orthonormal.",
      aliases: ["reg_orth_coef"],
    }),
    keep_update: bool({
      default: false,
      doc: "Whether gaining ranks leaves a module's update as it was instead of shrinking it.",
    }),
  },
  params: ({ in: n, out: m }, { r, max_r }) => {
    const ranks = Math.max(r, max_r);
    const init = { normal: 0.02 };
    const state = { shape: [1], init: "zeros", trains: false } as const;
    return {
      A: { shape: [ranks, n], init },
      B: { shape: [ranks, m], init },
      e: { shape: [ranks], init: "zeros" },
      score: { shape: [1], init: "zeros", gauge: true },
      rank: { ...state, init: { constant: r } },
      mean: state,
      spread: state,
    };
  },
  pair: (g, params, { alpha }) => partsOf(g, params, alpha),
  // While it trains ΔW is formed, so that a gauge can stand on it; its memory is not kept for the backward pass.
  forward(g, x, base, params, { alpha }, ctx) {
    const pair = partsOf(g, params, alpha);
    if (!ctx.trains) return pairForward(g, x, base, pair, ctx);
    const update = matmul(g, foldedB(g, pair), pair.A, { alpha });
    g.recomputed.add(update);
    const seen = gauge(g, update, params.score);
    return add(g, base.apply(g, x), matmul(g, ctx.dropout(x), seen, { transB: true }));
  },
  hooks: (config) => ({
    beforeStep(sites, { t }) {
      if (t > 1 || isSpent(sites, config)) return;
      for (const site of sites) reserve(site, config, reserved);
    },
    afterBackward(sites, { t, penalty }) {
      const spent = isSpent(sites, config);
      const each = config.orthogonality / (2 * sites.length);
      for (const site of sites) {
        const { tensor } = site;
        const rank = rankOf(site);
        const score = takeReading(tensor("score"));
        const trained = Math.min(rank + reserveOf(site, config), at(tensor("e").shape, 0));
        for (const name of ["A", "B"])
          if (each > 0) penalty(addOrthogonality(firstRows(tensor(name), trained), "rows", each));
        // The reserve's own weight stays.
        tensor("e").gradient.fill(0, rank);
        const numel = at(tensor("A").shape, 1) * at(tensor("B").shape, 1);
        if (!spent) follow(site, score / Math.sqrt(numel), config);
      }
      const now = t - 1;
      if (!spent && now > config.first_steps && now % config.interval === 0) grow(sites, config);
    },
  }),
});

function partsOf(
  g: Graph,
  { A, B, e, rank }: Readonly<Record<"A" | "B" | "e" | "rank", Value>>,
  alpha: number,
): Pair {
  return { A, B: matrixTranspose(g, B), core: div(g, e, rank), scale: alpha };
}

interface Growth {
  readonly target_r: number;
  readonly top_h: number;
  readonly ranks_each: number;
  readonly keep_update: boolean;
  readonly beta1: number;
  readonly beta2: number;
}

function rankOf({ tensor }: HookSite): number {
  return at(tensor("rank").weight, 0);
}

/** Ranks that are still to be given. */
function left(sites: readonly HookSite[], { target_r }: Growth): number {
  return target_r * sites.length - sites.reduce((sum, site) => sum + rankOf(site), 0);
}

/** Ranks that a module can still take. */
function room(site: HookSite): number {
  return at(site.tensor("e").shape, 0) - rankOf(site);
}

function isSpent(sites: readonly HookSite[], config: Growth): boolean {
  return left(sites, config) <= 0 || sites.every((site) => room(site) === 0);
}

/** Parts in reserve: those after the rank that weigh something. */
function reserveOf(site: HookSite, { ranks_each }: Growth): number {
  const first = rankOf(site);
  return (site.tensor("e").weight[first] ?? 0) === 0 ? 0 : ranks_each;
}

/** Sets what the parts weigh that a module would gain next. */
function reserve(site: HookSite, { ranks_each }: Growth, weight: number): void {
  const first = rankOf(site);
  site.tensor("e").weight.fill(weight, first, first + ranks_each);
}

function follow({ tensor }: HookSite, score: number, { beta1, beta2 }: Growth): void {
  const [mean, spread] = [tensor("mean").weight, tensor("spread").weight];
  const average = beta1 * at(mean, 0) + (1 - beta1) * score;
  mean[0] = average;
  spread[0] = beta2 * at(spread, 0) + (1 - beta2) * Math.abs(score - average);
}

/** Gives ranks to the modules of the highest scores that can take any; the earlier of two equal ones wins. */
function grow(sites: readonly HookSite[], config: Growth): void {
  const scoreOf = ({ tensor }: HookSite): number =>
    at(tensor("mean").weight, 0) * at(tensor("spread").weight, 0);
  const chosen = sites
    .filter((site) => room(site) > 0)
    .toSorted((a, b) => scoreOf(b) - scoreOf(a))
    .slice(0, config.top_h);
  for (const site of chosen) {
    const gain = Math.min(config.ranks_each, room(site), left(sites, config));
    const before = rankOf(site);
    const { weight: e } = site.tensor("e");
    // What was in reserve beyond the gain goes back.
    reserve(site, config, 0);
    e.fill(reserved, before, before + gain);
    site.tensor("rank").weight[0] = before + gain;
    if (config.keep_update)
      for (let k = 0; k < before; k++) e[k] = (at(e, k) * (before + gain)) / before;
    reserve(site, config, reserved);
  }
  if (isSpent(sites, config)) for (const site of sites) reserve(site, config, 0);
}

/** The first rows of a tensor, in its own memory. */
function firstRows({ shape, weight, gradient }: HookTensor, rows: number): HookTensor {
  const width = at(shape, 1);
  const end = rows * width;
  return {
    shape: [rows, width],
    weight: weight.subarray(0, end),
    gradient: gradient.subarray(0, end),
  };
}
