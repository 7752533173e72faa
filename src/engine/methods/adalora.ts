/**
 * @file AdaLoRA: singular values of the update are pruned by importance until all modules share a budget of rank.
 *
 * Zhang, Chen, Bukharin, Karampatziakis, He, Cheng, Chen, Zhao, "AdaLoRA: Adaptive Budget Allocation for
 * Parameter-Efficient Fine-Tuning", 2023, https://arxiv.org/abs/2303.10512.
 *
 *   W' = W + s B diag(E) A,   s = alpha / r;   the loss gains `orthogonality` · mean(‖A Aᵀ − I‖_F, ‖Bᵀ B − I‖_F)
 *
 *   A [r, in]   trained, N(0, 0.02²)
 *   B [out, r]  trained, N(0, 0.02²)
 *   E [r]       trained, zeros
 *   meanA, meanB, meanE, spreadA, spreadB, spreadE  frozen: averages of |w g| and of its deviation
 *   on [r]      frozen: which ranks the final budget left
 *
 * The importance of a rank is that of its E plus the means over its row of A and its column of B, each the product of
 * both averages. All modules compete; between `first_steps` and the last `last_steps` the budget falls by a cubic, and
 * every `interval` steps the E of the others become 0; afterwards the choice stays. Gradients enter before clipping, other
 * than in peft. A run's loss is told without the penalty, which stands beside it.
 */
import { int, number, share } from "../../shared/schema.ts";
import { defineLinearMethod } from "./define.ts";
import type { HookSite, HookTensor } from "./hooks.ts";
import { cubicBudget } from "./hooks.ts";
import { addOrthogonality } from "./orthogonality.ts";

export const adalora = defineLinearMethod({
  name: "adalora",
  title: "AdaLoRA",
  doc: "Trains updates in the form of a singular value decomposition, and takes ranks from modules where they matter least.",
  equation: "W' = W + s B diag(E) A, loss + orthogonality · mean(‖A Aᵀ − I‖, ‖Bᵀ B − I‖)",
  use: "Choose it where a total rank is given and which layers need it is not known.",
  paperTitle: "AdaLoRA: Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning",
  paper: "https://arxiv.org/abs/2303.10512",
  axes: {
    P: "low-rank pair with singular values",
    R: "pruned by importance",
    U: "orthogonality penalty",
    T: "cubic budget",
    E: "adapter of peft",
  },
  config: {
    r: int({ default: 12, min: 1, doc: "Ranks of each module at the start.", aliases: ["init_r"] }),
    target_r: int({ default: 8, min: 1, doc: "Mean rank of the modules at the end." }),
    alpha: number({ default: 16, above: 0, doc: "Scale: W' = W + (alpha / r) B diag(E) A." }),
    first_steps: int({
      default: 0,
      min: 0,
      doc: "Steps before the budget begins to fall.",
      aliases: ["tinit"],
    }),
    last_steps: int({
      default: 0,
      min: 0,
      doc: "Steps at the end with the final ranks.",
      aliases: ["tfinal"],
    }),
    interval: int({
      default: 1,
      min: 1,
      doc: "Steps between two choices of ranks.",
      aliases: ["deltaT"],
    }),
    beta1: share({
      default: 0.85,
      below: 1,
      doc: "How slowly the mean of the importance follows.",
    }),
    beta2: share({ default: 0.85, below: 1, doc: "How slowly its deviation follows." }),
    orthogonality: number({
      default: 0.5,
      min: 0,
      doc: "Weight of the penalty that keeps A and B orthonormal.",
      aliases: ["orth_reg_weight"],
    }),
  },
  peft: {
    type: "ADALORA",
    tensors: { A: "lora_A", B: "lora_B", E: "lora_E" },
    shapeOf: (param, shape) => (param === "E" ? [...shape, 1] : shape),
    // The budget is spent: peft wants a number of steps that it no longer counts.
    fields: ({ r, target_r, alpha }, { fanInFanOut }) => ({
      fan_in_fan_out: fanInFanOut,
      ...{ init_r: r, target_r, lora_alpha: alpha, lora_dropout: 0, bias: "none" },
      ...{ tinit: 0, tfinal: 0, deltaT: 1, total_step: 1, rank_pattern: null },
      init_lora_weights: true,
    }),
    read: ({ init_r: r, target_r, lora_alpha: alpha }) => ({ config: { r, target_r, alpha } }),
  },
  params({ in: n, out: m }, { r }) {
    const shapes = { A: [r, n], B: [m, r], E: [r] };
    const frozen = { init: "zeros", trains: false } as const;
    return {
      A: { shape: shapes.A, init: { normal: 0.02 } },
      B: { shape: shapes.B, init: { normal: 0.02 } },
      E: { shape: shapes.E, init: "zeros" },
      meanA: { shape: shapes.A, ...frozen },
      meanB: { shape: shapes.B, ...frozen },
      meanE: { shape: shapes.E, ...frozen },
      spreadA: { shape: shapes.A, ...frozen },
      spreadB: { shape: shapes.B, ...frozen },
      spreadE: { shape: shapes.E, ...frozen },
      on: { shape: [r], init: "ones", trains: false },
    };
  },
  pair: (_g, { A, B, E }, { r, alpha }) => ({ A, B, core: E, scale: alpha / r }),
  hooks: (config) => ({
    afterBackward(sites, { penalty }) {
      const each = config.orthogonality / (2 * sites.length);
      if (each === 0) return;
      for (const { tensor } of sites) {
        penalty(addOrthogonality(tensor("A"), "rows", each));
        penalty(addOrthogonality(tensor("B"), "columns", each));
      }
    },
    afterStep(sites, { t, steps }) {
      const { r, target_r, first_steps, last_steps, interval, beta1, beta2 } = config;
      const to = steps - last_steps;
      if (t > to) {
        for (const { tensor } of sites) close(tensor("E").weight, tensor("on").weight);
        return;
      }
      for (const site of sites)
        for (const name of ["A", "B", "E"])
          follow(
            site.tensor(name),
            site.tensor(`mean${name}`).weight,
            site.tensor(`spread${name}`).weight,
            beta1,
            beta2,
          );
      const final = t === to;
      if (!final && (t <= first_steps || t % interval !== 0)) return;
      const budget = cubicBudget(t, {
        first: r * sites.length,
        last: target_r * sites.length,
        from: first_steps,
        to,
      });
      keepBest(sites, Math.floor(budget));
    },
  }),
});

/** Averages of the importance |w g| and of how far it lies from its average. */
function follow(
  { weight, gradient }: HookTensor,
  mean: Float32Array,
  spread: Float32Array,
  beta1: number,
  beta2: number,
): void {
  for (let i = 0; i < weight.length; i++) {
    const importance = Math.abs((weight[i] ?? 0) * (gradient[i] ?? 0));
    const average = beta1 * (mean[i] ?? 0) + (1 - beta1) * importance;
    mean[i] = average;
    spread[i] = beta2 * (spread[i] ?? 0) + (1 - beta2) * Math.abs(importance - average);
  }
}

/** Closes all ranks but those of the highest scores; the earlier of two equal ones wins. */
function keepBest(sites: readonly HookSite[], budget: number): void {
  const ranked = sites
    .flatMap((site) => Array.from(scores(site), (score, k) => ({ site, k, score })))
    .toSorted((a, b) => b.score - a.score);
  for (const { tensor } of sites) tensor("on").weight.fill(0);
  for (const { site, k } of ranked.slice(0, budget)) site.tensor("on").weight[k] = 1;
  for (const { tensor } of sites) close(tensor("E").weight, tensor("on").weight);
}

function close(E: Float32Array, on: Float32Array): void {
  on.forEach((open, k) => {
    if (open === 0) E[k] = 0;
  });
}

function scores({ tensor }: HookSite): Float64Array {
  const product = (name: string, place: number): number =>
    (tensor(`mean${name}`).weight[place] ?? 0) * (tensor(`spread${name}`).weight[place] ?? 0);
  const [r = 0, n = 0] = tensor("A").shape;
  const [m = 0] = tensor("B").shape;
  return Float64Array.from({ length: r }, (_, k) => {
    let [row, column] = [0, 0];
    for (let i = 0; i < n; i++) row += product("A", k * n + i);
    for (let o = 0; o < m; o++) column += product("B", o * r + k);
    return product("E", k) + row / n + column / m;
  });
}
