/**
 * @file Prefix tuning: keys and values of virtual tokens before the words', at every layer.
 *
 * Li, Liang, "Prefix-Tuning: Optimizing Continuous Prompts for Generation", 2021, https://arxiv.org/abs/2101.00190.
 *
 *   attention over [K_P; K] and [V_P; V] in place of K and V
 *
 *   without prefix_projection, at each layer:
 *     keys, values [num_virtual_tokens, width]  trained, normal with deviation 1 as peft starts them
 *   with it, [keys, values] = tanh(E Dᵀ + d) Uᵀ + u:
 *     embedding E [num_virtual_tokens, width]     trained, normal with deviation 1, one for all layers
 *     down D [encoder_hidden_size, width], down_bias d    trained, as PyTorch starts a linear layer, one for all layers
 *     up U [2 width, encoder_hidden_size], up_bias u      trained, likewise; each layer has its own rows
 *
 * Width is that of all key-value heads. As in peft, the words' positions count on after the prefix and rotary
 * positions are not applied to it. peft saves what the projection gives, and so does this.
 */
import { bool, int } from "../../shared/schema.ts";
import { add, matmul, slice, tanh } from "../core/ops.ts";
import { definePrefixMethod } from "./prefix.ts";

export const prefixTuning = definePrefixMethod({
  name: "prefix_tuning",
  title: "Prefix tuning",
  doc: "Trains keys and values of a few virtual tokens, which the attention of every layer sees before those of the words.",
  equation: "o = softmax(q [K_P; K]ᵀ / √d) [V_P; V] in every head of every layer",
  use: "Choose it for generation tasks where the weights must stay untouched and prompt tuning is too weak.",
  paperTitle: "Prefix-Tuning: Optimizing Continuous Prompts for Generation",
  paper: "https://arxiv.org/abs/2101.00190",
  config: {
    num_virtual_tokens: int({
      default: 20,
      min: 1,
      max: 100_000,
      doc: "How many keys and values stand before the words' at each layer; each takes a place of the model's length.",
    }),
    prefix_projection: bool({
      default: false,
      doc: "Whether keys and values come from a network of two layers that trains, in place of training themselves.",
    }),
    encoder_hidden_size: int({
      default: 128,
      min: 1,
      max: 1_000_000,
      doc: "Width of that network's hidden layer, for `prefix_projection: true`.",
    }),
  },
  count: ({ num_virtual_tokens: count }) => count,
  params({ width }, { num_virtual_tokens: count, prefix_projection, encoder_hidden_size: inner }) {
    const linear = Math.sqrt(5);
    if (!prefix_projection) {
      const own = { shape: [count, width], init: { normal: 1 } } as const;
      return { keys: own, values: own };
    }
    return {
      embedding: { shape: [count, width], init: { normal: 1 }, key: "embedding" },
      down: { shape: [inner, width], init: { kaimingUniform: linear }, key: "down" },
      down_bias: { shape: [inner], init: { uniform: 1 / Math.sqrt(width) }, key: "down_bias" },
      up: { shape: [2 * width, inner], init: { kaimingUniform: linear } },
      up_bias: { shape: [2 * width], init: { uniform: 1 / Math.sqrt(inner) } },
    };
  },
  keysValues(g, read, { prefix_projection: projects }, { width }) {
    if (!projects) return { keys: read("keys"), values: read("values") };
    const down = matmul(g, read("embedding"), read("down"), { transB: true });
    const hidden = tanh(g, add(g, down, read("down_bias")));
    const both = add(g, matmul(g, hidden, read("up"), { transB: true }), read("up_bias"));
    return { keys: slice(g, both, 1, 0, width), values: slice(g, both, 1, width, 2 * width) };
  },
  changesAtStart:
    "keys and values that attention sees from the first step on take some of its weight",
  staysApart: "keys and values before the words' stand in no weight of the model",
  peft: {
    type: "PREFIX_TUNING",
    fields: ({ num_virtual_tokens: count }) => ({
      // What is saved are the keys and values themselves.
      prefix_projection: false,
      num_virtual_tokens: count,
      init_weights: null,
    }),
  },
  axes: { P: "keys and values", E: "adapter of peft" },
});
