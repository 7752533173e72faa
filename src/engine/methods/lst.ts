/**
 * @file Ladder side-tuning: a narrow network beside the frozen one, without a backward pass through it.
 *
 * Sung, Cho, Bansal, "LST: Ladder Side-Tuning for Parameter and Memory Efficient Transfer Learning", 2022,
 * https://arxiv.org/abs/2206.06522.
 *
 *   z_0 = e D_0ᵀ,   z_l = Layer_l(g_l z_{l−1} + (1 − g_l) h_l D_lᵀ),   g_l = σ(a_l / temperature)
 *   the head reads z_L Uᵀ;   e the embedding's result, h_l that of the model's layer l, Layer_l a layer of the model's
 *   kind, about `reduction` times as narrow, of whole heads of the model's size
 *
 *   down D_l [narrow, hidden]  trained, as PyTorch starts a linear layer    gate a_l [1]  trained, zero
 *   up U [hidden, narrow]      trained, likewise
 *   Layer_l's tensors          trained: linear layers normal with deviation 0.02, biases zero, norms one
 *
 * The paper starts the narrow layers from the model's, pruned by Fisher information; here they start at random, which its
 * ablation finds weaker. Layers that `layers_to_transform` leaves out have no side layer, as the paper drops some.
 */
import { int, number } from "../../shared/schema.ts";
import { add, matmul, mul, scalar, scale, sigmoid, sub } from "../core/ops.ts";
import type { ParamSpec } from "./define.ts";
import type { SideSite } from "./side.ts";
import { defineSideMethod } from "./side.ts";

export const lst = defineSideMethod({
  name: "lst",
  title: "Ladder side-tuning",
  doc: "Trains a narrow network beside the model that reads its hidden states: no gradient runs through the model itself.",
  equation: "z_l = Layer_l(g_l z_{l−1} + (1 − g_l) h_l D_lᵀ), the head reads z_L Uᵀ",
  use: "Choose it where memory for a backward pass through the model is not there.",
  paperTitle: "LST: Ladder Side-Tuning for Parameter and Memory Efficient Transfer Learning",
  paper: "https://arxiv.org/abs/2206.06522",
  config: {
    reduction: int({
      default: 8,
      min: 1,
      max: 1024,
      doc: "How many times narrower than the model the side network is.",
      aliases: ["side_reduction_factor"],
    }),
    temperature: number({
      default: 0.1,
      above: 0,
      doc: "What a gate's number is divided by before the sigmoid.",
    }),
  },
  narrowing: ({ reduction }) => reduction,
  params({ at, width, narrow, tensors }): Readonly<Record<string, ParamSpec>> {
    const linear = { kaimingUniform: Math.sqrt(5) };
    if (at === "leave") return { up: { shape: [width, narrow], init: linear } };
    const down: ParamSpec = { shape: [narrow, width], init: linear };
    if (at === "enter") return { down };
    const own = tensors.map((tensor): [string, ParamSpec] => [
      tensor.name,
      { shape: tensor.shape, init: initOf(tensor) },
    ]);
    return { down, gate: { shape: [1], init: "zeros" }, ...Object.fromEntries(own) };
  },
  enter: (g, embedded, read) => matmul(g, embedded, read("down"), { transB: true }),
  fuse(g, { hidden, side }, read, { temperature }) {
    const gate = sigmoid(g, scale(g, read("gate"), 1 / temperature));
    const rung = matmul(g, hidden, read("down"), { transB: true });
    return add(g, mul(g, gate, side), mul(g, sub(g, scalar(g, 1), gate), rung));
  },
  leave: (g, { side }, read) => matmul(g, side, read("up"), { transB: true }),
  changesAtStart:
    "the head reads the side network, which starts at random, in place of the model's last layer",
  staysApart: "the side network runs beside the model, and is in none of its weights",
  axes: { P: "side network", B: "no backward pass through the base", E: "adapter of our own form" },
});

function initOf({ role }: SideSite["tensors"][number]): ParamSpec["init"] {
  if (role === "norm") return "ones";
  return role === "bias" ? "zeros" : { normal: 0.02 };
}
