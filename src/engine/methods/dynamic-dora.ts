/**
 * @file DoRA of dynamic ranks: rank-one parts of all modules compete for a budget by how much of the update they carry.
 *
 * Mao, Huang, Guan, Bao, Mo, Xu, "DoRA: Enhancing Parameter-Efficient Fine-Tuning with Dynamic Rank Distribution", 2024,
 * https://arxiv.org/abs/2405.17357. Not the weight-decomposed DoRA.
 *
 *   W' = W + s B diag(c) A,   s = alpha / r;   importance of part k: ‖b_k c_k a_k‖_F / (‖B diag(c) A‖_F + ε)
 *
 *   A [r, in]   trained, Kaiming uniform with a = √5
 *   B [out, r]  trained, the same
 *   c [r]       trained, zeros
 *   mean [r]    frozen: average of the importance
 *   on [r]      frozen: which parts the last choice left
 *
 * The budget falls by a cubic from r to `target_r` on average between two shares of the run; every `interval` steps the
 * c of those left out become 0, from which they may return until the end of that phase; then the choice stays. Until then
 * the loss gains `variance` times the mean variance within rows of A and columns of B; a run tells it apart, as `penalty`.
 */
import { int, number, share } from "../../shared/schema.ts";
import { defineLinearMethod } from "./define.ts";
import type { HookSite, HookTensor } from "./hooks.ts";
import { cubicBudget } from "./hooks.ts";

export const dynamicDora = defineLinearMethod({
  name: "dynamic_dora",
  title: "DoRA (dynamic ranks)",
  doc: "Trains rank-one parts with a weight on each, and closes those that carry least of their module's update.",
  equation: "W' = W + s B diag(c) A, c of the parts that carry least set to 0",
  use: "Choose it where rank is to be shared out by what each part adds, at little cost.",
  paperTitle: "DoRA: Enhancing Parameter-Efficient Fine-Tuning with Dynamic Rank Distribution",
  paper: "https://arxiv.org/abs/2405.17357",
  axes: {
    P: "low-rank pair with weights",
    R: "pruned by importance",
    U: "variance penalty",
    T: "cubic budget",
    E: "plain LoRA",
  },
  config: {
    r: int({ default: 12, min: 1, doc: "Parts of each module at the start.", aliases: ["rank"] }),
    target_r: int({ default: 8, min: 1, doc: "Mean number of parts of the modules at the end." }),
    alpha: number({ default: 16, above: 0, doc: "Scale: W' = W + (alpha / r) B diag(c) A." }),
    first_share: share({
      default: 0.1,
      doc: "Share of the run after which the budget begins to fall.",
    }),
    last_share: share({ default: 0.6, above: 0, doc: "Share of the run at which it is reached." }),
    interval: int({ default: 10, min: 1, doc: "Steps between two choices of parts." }),
    beta: share({ default: 0.9, below: 1, doc: "How slowly the mean of the importance follows." }),
    variance: number({
      default: 0,
      min: 0,
      doc: "Weight of the penalty on uneven rows and columns.",
    }),
  },
  params: ({ in: n, out: m }, { r }) => ({
    A: { shape: [r, n], init: { kaimingUniform: Math.sqrt(5) } },
    B: { shape: [m, r], init: { kaimingUniform: Math.sqrt(5) } },
    c: { shape: [r], init: "zeros" },
    mean: { shape: [r], init: "zeros", trains: false },
    on: { shape: [r], init: "ones", trains: false },
  }),
  pair: (_g, { A, B, c }, { r, alpha }) => ({ A, B, core: c, scale: alpha / r }),
  hooks: (config) => ({
    afterBackward(sites, { t, steps, penalty }) {
      if (config.variance === 0 || t > config.last_share * steps) return;
      for (const { tensor } of sites) {
        penalty(addVariance(tensor("A"), "rows", config.variance / (2 * sites.length)));
        penalty(addVariance(tensor("B"), "columns", config.variance / (2 * sites.length)));
      }
    },
    afterStep(sites, { t, steps }) {
      const { r, target_r, interval, beta } = config;
      const to = Math.max(1, Math.round(config.last_share * steps));
      if (t <= to) {
        for (const site of sites) {
          const { weight: mean } = site.tensor("mean");
          importance(site).forEach((value, k) => {
            mean[k] = beta * (mean[k] ?? 0) + (1 - beta) * value;
          });
        }
        if (t % interval === 0 || t === to) {
          const range = { from: Math.round(config.first_share * steps), to };
          const budget = { first: r * sites.length, last: target_r * sites.length, ...range };
          choose(sites, Math.floor(cubicBudget(t, budget)));
        } else return;
      }
      for (const { tensor } of sites)
        tensor("on").weight.forEach((open, k) => {
          if (open === 0) tensor("c").weight[k] = 0;
        });
    },
  }),
});

function choose(sites: readonly HookSite[], budget: number): void {
  const ranked = sites
    .flatMap((site) => Array.from(site.tensor("mean").weight, (score, k) => ({ site, k, score })))
    .toSorted((a, b) => b.score - a.score);
  for (const { tensor } of sites) tensor("on").weight.fill(0);
  for (const { site, k } of ranked.slice(0, budget)) site.tensor("on").weight[k] = 1;
}

/** |c_k| ‖b_k‖ ‖a_k‖ / ‖B diag(c) A‖_F of each part; the whole norm by the Gram matrices of both factors. */
function importance({ tensor }: HookSite): Float64Array {
  const c = tensor("c").weight;
  const across = gram(tensor("A"), "rows");
  const down = gram(tensor("B"), "columns");
  const r = c.length;
  let square = 0;
  for (let j = 0; j < r; j++)
    for (let k = 0; k < r; k++)
      square += (c[j] ?? 0) * (c[k] ?? 0) * (across[j * r + k] ?? 0) * (down[j * r + k] ?? 0);
  const whole = Math.sqrt(Math.max(0, square)) + 1e-12;
  return Float64Array.from(c, (value, k) => {
    const place = k * (r + 1);
    return (Math.abs(value) * Math.sqrt((across[place] ?? 0) * (down[place] ?? 0))) / whole;
  });
}

function gram(
  { shape: [rows = 0, width = 0], weight }: HookTensor,
  of: "rows" | "columns",
): Float64Array {
  const [count, length] = of === "rows" ? [rows, width] : [width, rows];
  const place = (k: number, i: number): number => (of === "rows" ? k * width + i : i * width + k);
  return Float64Array.from({ length: count * count }, (_, at) => {
    const [j, k] = [Math.floor(at / count), at % count];
    let sum = 0;
    for (let i = 0; i < length; i++) sum += (weight[place(j, i)] ?? 0) * (weight[place(k, i)] ?? 0);
    return sum;
  });
}

/** Adds the gradient of factor · mean over k of the variance within row, or column, k; returns its value. */
function addVariance(
  { shape: [rows = 0, width = 0], weight, gradient }: HookTensor,
  of: "rows" | "columns",
  factor: number,
): number {
  const [count, length] = of === "rows" ? [rows, width] : [width, rows];
  const place = (k: number, i: number): number => (of === "rows" ? k * width + i : i * width + k);
  const share = factor / (length * count);
  let penalty = 0;
  for (let k = 0; k < count; k++) {
    let mean = 0;
    for (let i = 0; i < length; i++) mean += (weight[place(k, i)] ?? 0) / length;
    for (let i = 0; i < length; i++) {
      const at = place(k, i);
      const off = (weight[at] ?? 0) - mean;
      gradient[at] = (gradient[at] ?? 0) + 2 * share * off;
      penalty += share * off ** 2;
    }
  }
  return penalty;
}
