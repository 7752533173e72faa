/** @file The activation functions of feed-forward layers, under the names that transformers gives them. */
import type { Graph, Value } from "../core/graph.ts";
import { gelu, relu, silu } from "../core/ops.ts";
import type { ConfigReader } from "./config-reader.ts";

export type Activation = (g: Graph, x: Value) => Value;

const exactGelu: Activation = (g, x) => gelu(g, x, "none");
const tanhGelu: Activation = (g, x) => gelu(g, x, "tanh");

/** Several names stand for one function, computed in different ways. */
const activations: Readonly<Record<string, Activation>> = {
  gelu: exactGelu,
  gelu_python: exactGelu,
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_accurate: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  gelu_python_tanh: tanhGelu,
  relu,
  silu,
  swish: silu,
};

/** The activation that a field names; one that is not computed here is refused by name. */
export function readActivation(config: ConfigReader, field: string, fallback: string): Activation {
  const name = config.text(field, fallback);
  const activation = Object.hasOwn(activations, name) ? activations[name] : undefined;
  if (activation) return activation;
  const known = Object.keys(activations).join(", ");
  config.refuse(field, `the activations are ${known}, not ${JSON.stringify(name)}.`);
  return exactGelu;
}
