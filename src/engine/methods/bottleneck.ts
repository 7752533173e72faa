/**
 * @file Bottleneck adapter: a small network with a nonlinearity at the parts of each layer.
 *
 * Houlsby, Giurgiu, Jastrzebski, Morrone, de Laroussilhe, Gesmundo, Attariyan, Gelly, "Parameter-Efficient Transfer
 * Learning for NLP", 2019, https://arxiv.org/abs/1902.00751: after the attention and after the feed-forward network.
 * Pfeiffer, Kamath, Rücklé, Cho, Gurevych, "AdapterFusion", 2020, https://arxiv.org/abs/2005.00247: after the
 * feed-forward network alone, `parts: mlp`.
 * He, Zhou, Ma, Berg-Kirkpatrick, Neubig, "Towards a Unified View of Parameter-Efficient Transfer Learning", 2021,
 * https://arxiv.org/abs/2110.04366: beside the part, `form: parallel`.
 *
 *   y' = y + scale (φ(u downᵀ + down_bias) upᵀ + up_bias),  u = y, or the part's input with `form: parallel`,
 *   y what the part gives before it is added to the hidden state
 *
 *   down [r, hidden]  trained, Kaiming uniform with a = √5    down_bias [r]     trained, zeros
 *   up [hidden, r]    trained, zeros                           up_bias [hidden]  trained, zeros
 *
 * Houlsby et al. start both matrices near zero; with up at zero exactly, as He et al. have it, the model starts as the
 * base. The norms are not trained; `type: norms` in a list beside it does so.
 */
import { int, number, oneOf } from "../../shared/schema.ts";
import type { Graph, Value } from "../core/graph.ts";
import { add, gelu, matmul, relu, scale, silu, tanh } from "../core/ops.ts";
import { defineBlockMethod } from "./block.ts";

const activations = {
  gelu: (g: Graph, x: Value) => gelu(g, x, "none"),
  relu,
  silu,
  tanh,
} as const;

export const bottleneck = defineBlockMethod({
  name: "bottleneck",
  title: "Bottleneck adapter",
  doc: "Trains a narrow network with a nonlinearity after the attention and the feed-forward network of each layer.",
  equation: "y' = y + scale (φ(u downᵀ + d) upᵀ + u₀)",
  use: "Choose it where a nonlinear change is wanted and the model may keep a module beside it.",
  paperTitle: "Parameter-Efficient Transfer Learning for NLP",
  paper: "https://arxiv.org/abs/1902.00751",
  config: {
    r: int({
      default: 64,
      min: 1,
      max: 1_000_000,
      doc: "Width of the narrow network.",
      aliases: ["bottleneck_size", "adapter_size"],
    }),
    parts: oneOf(
      {
        both: "After the attention and after the feed-forward network, as Houlsby et al. have it.",
        mlp: "At the feed-forward network alone, as Pfeiffer et al. have it.",
        attention: "At the attention alone.",
      },
      { default: "both", doc: "At which parts of a layer it stands." },
    ),
    form: oneOf(
      {
        sequential: "It reads what the part gives.",
        parallel: "It reads what goes into the part.",
      },
      { default: "sequential", doc: "What the narrow network reads." },
    ),
    activation: oneOf(["gelu", "relu", "silu", "tanh"], {
      default: "gelu",
      doc: "The nonlinearity.",
      aliases: ["non_linearity"],
    }),
    scale: number({ default: 1, above: 0, doc: "What its result is multiplied by." }),
  },
  parts: ({ parts }) => (parts === "both" ? ["attention", "mlp"] : [parts]),
  params: ({ width }, { r }) => ({
    down: { shape: [r, width], init: { kaimingUniform: Math.sqrt(5) } },
    down_bias: { shape: [r], init: "zeros" },
    up: { shape: [width, r], init: "zeros" },
    up_bias: { shape: [width], init: "zeros" },
  }),
  forward(g, run, read, { form, activation, scale: factor }) {
    const y = run.compute();
    const u = form === "parallel" ? run.input : y;
    const narrow = add(g, matmul(g, u, read("down"), { transB: true }), read("down_bias"));
    const hidden = activations[activation](g, narrow);
    const wide = add(g, matmul(g, hidden, read("up"), { transB: true }), read("up_bias"));
    return add(g, y, scale(g, wide, factor));
  },
  staysApart: "a network with a nonlinearity between two layers can be folded into neither",
  axes: { P: "bottleneck at a part of a layer", E: "adapter of our own form" },
});
