/**
 * @file MixLoRA: a router over several low-rank experts of each feed-forward network.
 *
 * Li, Ma, Wang, Cheng, Duan, Zuo, Yang, Tang, "MixLoRA: Enhancing Large Language Models Fine-Tuning with LoRA-based
 * Mixture of Experts", 2024, https://arxiv.org/abs/2404.15159.
 *
 *   y = Σ_e w_e FFN_e(x),   w = softmax of the top_k largest of x routerᵀ, 0 for the others
 *   FFN_e is the frozen network with W + s B_e A_e at each of its linear layers,   s = alpha / r
 *
 *   router [num_experts, hidden]         trained, normal with deviation 0.02
 *   A of each layer [num_experts r, in]  trained, Kaiming uniform with a = √5, the experts' rows one after the other
 *   B of each layer [out, num_experts r] trained, zeros
 *
 * To the loss comes router_aux_loss_coef · num_experts · Σ_e f_e p_e at each layer, where f_e is the share of the tokens
 * that take expert e, p_e the mean of softmax(x routerᵀ)_e, padding left out; the official code takes one such term of
 * all layers together. A run's loss is told without it, and its value beside it as `penalty`. Of the code's routers this
 * is the one of the top_k; those of the largest share and of one expert with a capacity are not here. What the base makes
 * of x is computed once for all experts, and its last layer once of Σ_e w_e h_e, which is the same since it is linear.
 * The paper's LoRA at the attention is an entry of its own in `method`.
 */
import { int, number } from "../../shared/schema.ts";
import { at } from "../../shared/errors.ts";
import type { Graph, Value } from "../core/graph.ts";
import {
  add,
  cast,
  concat,
  detach,
  div,
  less,
  matmul,
  mul,
  reduceMax,
  reduceSum,
  reshape,
  scalar,
  scale,
  slice,
  softmax,
  sub,
  where,
} from "../core/ops.ts";
import { forbidden } from "../core/causal-mask.ts";
import type { BlockRun } from "./block.ts";
import { defineBlockMethod } from "./block.ts";
import type { ParamSpec } from "./define.ts";

export const mixlora = defineBlockMethod({
  name: "mixlora",
  title: "MixLoRA",
  doc: "Trains several low-rank experts of each feed-forward network and a router that sends each token to the best of them.",
  equation: "y = Σ_e w_e FFN_e(x), w the softmax over the top_k of x routerᵀ",
  use: "Choose it for data of several kinds that would disturb one another in one adapter.",
  paperTitle:
    "MixLoRA: Enhancing Large Language Models Fine-Tuning with LoRA-based Mixture of Experts",
  paper: "https://arxiv.org/abs/2404.15159",
  config: {
    r: int({
      default: 8,
      min: 1,
      max: 65_536,
      doc: "Rank of each expert's updates.",
      aliases: ["lora_r", "lora_rank", "rank"],
    }),
    alpha: number({
      default: 16,
      above: 0,
      doc: "Scale of each expert's updates: W + (alpha / r) B A.",
      aliases: ["lora_alpha"],
    }),
    num_experts: int({ default: 8, min: 1, max: 256, doc: "How many experts there are." }),
    top_k: int({
      default: 2,
      min: 1,
      max: 256,
      doc: "How many experts each token takes; all where there are no more.",
    }),
    router_aux_loss_coef: number({
      default: 0.01,
      min: 0,
      doc: "Weight of the loss that keeps the experts equally busy.",
    }),
  },
  parts: () => ["mlp"],
  params({ width, linears }, { r, num_experts: experts }): Readonly<Record<string, ParamSpec>> {
    const factors = linears.flatMap(({ name, in: n, out: m }): readonly [string, ParamSpec][] => [
      [factor(name, "A"), { shape: [experts * r, n], init: { kaimingUniform: Math.sqrt(5) } }],
      [factor(name, "B"), { shape: [m, experts * r], init: "zeros" }],
    ]);
    const router: ParamSpec = { shape: [experts, width], init: { normal: 0.02 } };
    return { router, ...Object.fromEntries(factors) };
  },
  forward(g, run, read, config, { linears }) {
    const { r, alpha, num_experts: experts } = config;
    const route = routed(g, run, read("router"), config);
    const last = at(linears, linears.length - 1).name;
    const of = (x: Value, expert: number, size: number): Value =>
      slice(g, x, 1, expert * size, (expert + 1) * size);
    // What the base makes of an input that several experts share, and all experts' A of it.
    const shared = new Map<string, { readonly x: Value; readonly y: Value; readonly u: Value }>();
    const inner = (name: string, x: Value): { readonly y: Value; readonly u: Value } => {
      const known = shared.get(name);
      if (known?.x === x) return known;
      const u = matmul(g, x, read(factor(name, "A")), { transB: true });
      const made = { x, y: run.linear(name, x), u };
      shared.set(name, made);
      return made;
    };
    const parts = Array.from({ length: experts }, (_, expert) => {
      const weight = of(route, expert, 1);
      let hidden: Value = run.input;
      run.compute((name, x) => {
        if (name === last) {
          hidden = x;
          return run.input;
        }
        const { y, u } = inner(name, x);
        const B = of(read(factor(name, "B")), expert, r);
        return add(g, y, matmul(g, of(u, expert, r), B, { transB: true, alpha: alpha / r }));
      });
      const A = slice(g, read(factor(last, "A")), 0, expert * r, (expert + 1) * r);
      return {
        hidden: mul(g, hidden, weight),
        low: mul(g, matmul(g, hidden, A, { transB: true }), weight),
      };
    });
    const hidden = parts.map((part) => part.hidden).reduce((a, b) => add(g, a, b));
    const low = concat(
      g,
      parts.map((part) => part.low),
      1,
    );
    const update = matmul(g, low, read(factor(last, "B")), { transB: true, alpha: alpha / r });
    return add(g, run.linear(last, hidden), update);
  },
  staysApart: "which expert a token takes depends on the token",
  axes: {
    P: "low-rank pairs",
    X: "router over experts, top-k",
    U: "balance loss",
    E: "adapter of our own form",
  },
});

function factor(name: string, part: "A" | "B"): string {
  return `${name}.${part}`;
}

interface Routing {
  readonly num_experts: number;
  readonly top_k: number;
  readonly router_aux_loss_coef: number;
}

/** The experts' weights [rows, experts], 0 for those that a token does not take. */
function routed(g: Graph, run: BlockRun, router: Value, config: Routing): Value {
  const { num_experts: experts, router_aux_loss_coef: coefficient } = config;
  const logits = matmul(g, run.input, router, { transB: true });
  const isPassed = passedOver(g, logits, Math.min(config.top_k, experts));
  const none = scalar(g, forbidden);
  if (coefficient > 0)
    run.addLoss(() => {
      const real = run.realRows();
      const count = reduceSum(g, real, [0]);
      const share = (of: Value): Value => div(g, reduceSum(g, mul(g, of, real), [0]), count);
      const taken = share(sub(g, scalar(g, 1), cast(g, isPassed, "float32")));
      const mean = share(softmax(g, logits));
      const sum = reduceSum(g, mul(g, detach(g, taken), mean), [0, 1]);
      return reshape(g, scale(g, sum, coefficient * experts), []);
    });
  return softmax(g, where(g, isPassed, none, logits));
}

/** Whether an expert is not among the `count` largest of its row. */
function passedOver(g: Graph, logits: Value, count: number): Value {
  let rest = logits;
  let least = reduceMax(g, rest, [1]);
  for (let found = 1; found < count; found++) {
    rest = where(g, less(g, rest, least), rest, scalar(g, forbidden));
    least = reduceMax(g, rest, [1]);
  }
  return less(g, logits, detach(g, least));
}
