/** @file The Llama family: llama, mistral, qwen2, qwen3; RMSNorm, rotary grouped-head attention, SwiGLU. */
import { invariant } from "../../shared/errors.ts";
import type { Value } from "../core/graph.ts";
import { add, mul, reshape, rmsNorm, rope, silu } from "../core/ops.ts";
import type { BlockScope, BlockSpec, LayerContext, LinearSpec, Model, ModelSizes, TensorSpec } from "./architecture.ts";
import { attention } from "./attention.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readRotary } from "./rotary.ts";

type Family = "llama" | "mistral" | "qwen2" | "qwen3";

/** What differs within the family. */
interface Traits {
  readonly attentionBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  readonly queryKeyNorm: boolean;
  readonly epsilon: number;
  readonly tied: boolean;
}

const classes: { readonly [F in Family]: string } = {
  llama: "LlamaForCausalLM",
  mistral: "MistralForCausalLM",
  qwen2: "Qwen2ForCausalLM",
  qwen3: "Qwen3ForCausalLM",
};

export function readLlama(config: ConfigReader, family: Family): Model {
  const hidden = config.int("hidden_size");
  const heads = config.int("num_attention_heads");
  const sizes: ModelSizes = {
    vocabulary: config.int("vocab_size"),
    hidden,
    layers: config.int("num_hidden_layers"),
    heads,
    keyValueHeads: config.int("num_key_value_heads", heads),
    headDim: config.int("head_dim", family === "qwen3" ? 128 : Math.floor(hidden / heads)),
    intermediate: config.int("intermediate_size"),
    maxLength: config.int("max_position_embeddings", 2048),
  };
  if (sizes.heads % sizes.keyValueHeads !== 0)
    config.refuse("num_key_value_heads", `${sizes.heads} heads do not divide into ${sizes.keyValueHeads} groups.`);
  const attentionBias = family === "qwen2" ? true : config.flag("attention_bias", false);
  const traits: Traits = {
    attentionBias,
    outputBias: family === "qwen2" ? false : attentionBias,
    mlpBias: config.flag("mlp_bias", false),
    queryKeyNorm: family === "qwen3",
    epsilon: config.float("rms_norm_eps", 1e-6),
    tied: config.flag("tie_word_embeddings", false),
  };
  config.only("hidden_act", ["silu", "swish"], "the gate's activation must be silu.");
  config.only("pretraining_tp", [1], "tensor-parallel slices change the rounding.");
  // Within the window sliding attention is plain causal attention; longer sequences are refused.
  const window = config.value("sliding_window");
  const slides = config.flag("use_sliding_window", family === "mistral");
  const maxLength = slides && typeof window === "number" ? Math.min(window, sizes.maxLength) : sizes.maxLength;
  const rotary = readRotary(config, sizes.headDim, 10000);

  return {
    modelType: family,
    task: "causal-lm",
    transformersClass: classes[family],
    sizes: { ...sizes, maxLength },
    causal: true,
    rotary,
    firstPosition: 0,
    blocks: [
      {
        kind: "embedding",
        id: "embedding",
        tensors: [{ name: "embed_tokens.weight", source: "model.embed_tokens.weight", shape: [sizes.vocabulary, hidden], role: "embedding" }],
        linears: [],
      },
      ...Array.from({ length: sizes.layers }, (_, index) => layerSpec(sizes, traits, index)),
      headSpec(sizes, traits),
    ],
    embed: (scope, { ids }) => scope.lookup("embed_tokens.weight", ids),
    layer: (scope, hiddenState, context) => layer(scope, hiddenState, context, sizes, traits),
    head: (scope, rows) => scope.linear("lm_head", rmsNorm(scope.g, rows, scope.tensor("norm.weight"), traits.epsilon)),
  };
}

function layer(scope: BlockScope, x: Value, context: LayerContext, sizes: ModelSizes, traits: Traits): Value {
  const { g } = scope;
  const { batch, length, rotary } = context;
  const { heads, keyValueHeads, headDim } = sizes;
  invariant(rotary, "a rotary model needs cos and sin");
  const split = (value: Value, count: number): Value => reshape(g, value, [batch, length, count, headDim]);
  const normed = (value: Value, name: string): Value =>
    traits.queryKeyNorm ? rmsNorm(g, value, scope.tensor(`self_attn.${name}.weight`), traits.epsilon) : value;

  const h = rmsNorm(g, x, scope.tensor("input_layernorm.weight"), traits.epsilon);
  const q = normed(split(scope.linear("self_attn.q_proj", h), heads), "q_norm");
  const k = normed(split(scope.linear("self_attn.k_proj", h), keyValueHeads), "k_norm");
  const v = split(scope.linear("self_attn.v_proj", h), keyValueHeads);
  const mixed = attention(g, { queries: rope(g, q, rotary.cos, rotary.sin), keys: rope(g, k, rotary.cos, rotary.sin), values: v }, context);
  const attended = add(g, x, scope.linear("self_attn.o_proj", mixed));

  const m = rmsNorm(g, attended, scope.tensor("post_attention_layernorm.weight"), traits.epsilon);
  const gate = silu(g, scope.linear("mlp.gate_proj", m));
  return add(g, attended, scope.linear("mlp.down_proj", mul(g, gate, scope.linear("mlp.up_proj", m))));
}

function layerSpec(sizes: ModelSizes, traits: Traits, index: number): BlockSpec {
  const { hidden, heads, keyValueHeads, headDim, intermediate } = sizes;
  const prefix = `model.layers.${index}.`;
  const site = (name: string, input: number, output: number, bias: boolean): LinearSpec => ({ name, module: `${prefix}${name}`, in: input, out: output, bias });
  const linears = [
    site("self_attn.q_proj", hidden, heads * headDim, traits.attentionBias),
    site("self_attn.k_proj", hidden, keyValueHeads * headDim, traits.attentionBias),
    site("self_attn.v_proj", hidden, keyValueHeads * headDim, traits.attentionBias),
    site("self_attn.o_proj", heads * headDim, hidden, traits.outputBias),
    site("mlp.gate_proj", hidden, intermediate, traits.mlpBias),
    site("mlp.up_proj", hidden, intermediate, traits.mlpBias),
    site("mlp.down_proj", intermediate, hidden, traits.mlpBias),
  ];
  const norm = (name: string, size: number): TensorSpec => ({ name: `${name}.weight`, source: `${prefix}${name}.weight`, shape: [size], role: "norm" });
  return {
    kind: "layer",
    id: `layers.${index}`,
    linears,
    tensors: [
      norm("input_layernorm", hidden),
      ...linears.flatMap((linear) => linearTensors(linear, prefix)),
      ...(traits.queryKeyNorm ? [norm("self_attn.q_norm", headDim), norm("self_attn.k_norm", headDim)] : []),
      norm("post_attention_layernorm", hidden),
    ],
  };
}

function headSpec(sizes: ModelSizes, traits: Traits): BlockSpec {
  const { vocabulary, hidden } = sizes;
  return {
    kind: "head",
    id: "head",
    linears: [{ name: "lm_head", module: "lm_head", in: hidden, out: vocabulary, bias: false, head: true }],
    tensors: [
      { name: "norm.weight", source: "model.norm.weight", shape: [hidden], role: "norm" },
      { name: "lm_head.weight", source: traits.tied ? "model.embed_tokens.weight" : "lm_head.weight", shape: [vocabulary, hidden], role: "linear" },
    ],
  };
}

/** The weight and, where there is one, the bias of a linear site. */
export function linearTensors(linear: LinearSpec, prefix: string): readonly TensorSpec[] {
  const tensor = (suffix: string, shape: readonly number[], role: TensorSpec["role"]): TensorSpec => ({
    name: `${linear.name}.${suffix}`,
    source: `${prefix}${linear.name}.${suffix}`,
    shape,
    role,
  });
  const weight = tensor("weight", [linear.out, linear.in], "linear");
  return linear.bias ? [weight, tensor("bias", [linear.out], "bias")] : [weight];
}
