/** @file The Llama family: llama, mistral, qwen2, qwen3; RMSNorm, rotary grouped-head attention, SwiGLU. */
import { invariant } from "../../shared/errors.ts";
import type { Value } from "../core/graph.ts";
import { add, mul, reshape, rmsNorm, rope } from "../core/ops.ts";
import type { Activation } from "./activation.ts";
import { readActivation } from "./activation.ts";
import type {
  BlockScope,
  BlockSpec,
  ComputePart,
  LayerContext,
  Model,
  ModelSizes,
  TensorSpec,
} from "./architecture.ts";
import { attention } from "./attention.ts";
import type { ConfigReader } from "./config-reader.ts";
import { mostLayers, mostWidth } from "./config-reader.ts";
import { narrowSizes } from "./narrow-sizes.ts";
import { readRotary } from "./rotary.ts";
import { linearTensors, partsUnder, sitesUnder } from "./tensor-specs.ts";

export type LlamaFamily = "llama" | "mistral" | "qwen2" | "qwen3";

/** What differs within the family, and what transformers takes where config.json says nothing. */
interface FamilyTraits {
  readonly transformersClass: string;
  /** Biases of q, k, v and of o: fixed, or what `attention_bias` says. */
  readonly attentionBias: "none" | "configured" | "queries-keys-values";
  /** Whether `mlp_bias` is heeded. */
  readonly mlpBias: boolean;
  readonly queryKeyNorm: boolean;
  /** Missing `num_key_value_heads`; null means one for each head. */
  readonly keyValueHeads?: number;
  readonly headDim?: number;
  readonly maxLength: number;
  /** Which layers attend within `sliding_window`: none, all, or those that `use_sliding_window` switches on. */
  readonly sliding: "never" | "always" | "switched";
}

const families: { readonly [F in LlamaFamily]: FamilyTraits } = {
  llama: {
    transformersClass: "LlamaForCausalLM",
    attentionBias: "configured",
    mlpBias: true,
    queryKeyNorm: false,
    maxLength: 2048,
    sliding: "never",
  },
  mistral: {
    transformersClass: "MistralForCausalLM",
    attentionBias: "none",
    mlpBias: false,
    queryKeyNorm: false,
    keyValueHeads: 8,
    maxLength: 131072,
    sliding: "always",
  },
  qwen2: {
    transformersClass: "Qwen2ForCausalLM",
    attentionBias: "queries-keys-values",
    mlpBias: false,
    queryKeyNorm: false,
    keyValueHeads: 32,
    maxLength: 32768,
    sliding: "switched",
  },
  qwen3: {
    transformersClass: "Qwen3ForCausalLM",
    attentionBias: "configured",
    mlpBias: false,
    queryKeyNorm: true,
    keyValueHeads: 32,
    headDim: 128,
    maxLength: 32768,
    sliding: "switched",
  },
};

/** A model's own choices. */
interface Traits {
  readonly attentionBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  readonly queryKeyNorm: boolean;
  readonly epsilon: number;
  readonly tied: boolean;
  readonly activation: Activation;
}

export function readLlama(config: ConfigReader, family: LlamaFamily): Model {
  const fixed = families[family];
  const own = readSizes(config, fixed);
  const configured = fixed.attentionBias === "configured" && config.flag("attention_bias", false);
  const traits: Traits = {
    attentionBias: configured || fixed.attentionBias === "queries-keys-values",
    outputBias: configured,
    mlpBias: fixed.mlpBias && config.flag("mlp_bias", false),
    queryKeyNorm: fixed.queryKeyNorm,
    epsilon: config.positive("rms_norm_eps", 1e-6),
    tied: config.flag("tie_word_embeddings", false),
    activation: readActivation(config, "hidden_act", "silu"),
  };
  config.only("pretraining_tp", [1], "tensor-parallel slices change the rounding.");
  const rotary = readRotary(config, own.headDim, 10000);

  const build = (sizes: ModelSizes): Model => ({
    modelType: family,
    task: "causal-lm",
    transformersClass: fixed.transformersClass,
    sizes,
    basePrefix: "model",
    target: "classes",
    causal: true,
    rotary,
    firstPosition: 0,
    blocks: [
      {
        kind: "embedding",
        id: "embedding",
        tensors: [
          {
            name: "embed_tokens.weight",
            source: "model.embed_tokens.weight",
            shape: [sizes.vocabulary, sizes.hidden],
            role: "embedding",
          },
        ],
        linears: [],
      },
      ...Array.from({ length: sizes.layers }, (_, index) => layerSpec(sizes, traits, index)),
      headSpec(sizes, traits),
    ],
    narrowed: (factor) => build(narrowSizes(sizes, factor)),
    embed: (scope, { ids }) => scope.lookup("embed_tokens.weight", ids),
    layer: (scope, hiddenState, context) => layer(scope, hiddenState, context, sizes, traits),
    head: (scope, rows) =>
      scope.linear("lm_head", rmsNorm(scope.g, rows, scope.tensor("norm.weight"), traits.epsilon)),
  });
  return build(own);
}

function readSizes(config: ConfigReader, family: FamilyTraits): ModelSizes {
  const hidden = config.count("hidden_size", mostWidth);
  const heads = config.int("num_attention_heads");
  const missing = config.value("num_key_value_heads") === undefined;
  const keyValueHeads = config.int(
    "num_key_value_heads",
    missing ? (family.keyValueHeads ?? heads) : heads,
  );
  const headDim = config.count(
    "head_dim",
    mostWidth,
    family.headDim ?? Math.max(1, Math.floor(hidden / heads)),
  );
  const layers = config.count("num_hidden_layers", mostLayers);
  const positions = config.int("max_position_embeddings", family.maxLength);
  config.need(
    heads % keyValueHeads === 0,
    "num_key_value_heads",
    `${heads} heads do not divide into ${keyValueHeads} groups.`,
  );
  config.need(headDim % 2 === 0, "head_dim", `heads of the odd size ${headDim} cannot be rotated.`);
  return {
    vocabulary: config.int("vocab_size"),
    hidden,
    layers,
    heads,
    keyValueHeads,
    headDim,
    intermediate: config.int("intermediate_size"),
    maxLength: Math.min(positions, readWindow(config, family.sliding, layers) ?? positions),
  };
}

/** Longest sequence that a sliding window leaves whole; within it, attention is plain and causal. */
function readWindow(
  config: ConfigReader,
  sliding: FamilyTraits["sliding"],
  layers: number,
): number | undefined {
  if (sliding === "never") return undefined;
  const types = config.value("layer_types");
  const firstSliding = sliding === "always" ? 0 : config.index("max_window_layers", 28);
  const window =
    config.value("sliding_window") === null ? undefined : config.int("sliding_window", 4096);
  if (sliding === "switched" && !config.flag("use_sliding_window", false)) return undefined;
  const slides = Array.isArray(types)
    ? sliding === "always" || types.includes("sliding_attention")
    : firstSliding < layers;
  return slides ? window : undefined;
}

function layer(
  scope: BlockScope,
  x: Value,
  context: LayerContext,
  sizes: ModelSizes,
  traits: Traits,
): Value {
  const { g } = scope;
  const { batch, length, rotary } = context;
  const { heads, keyValueHeads, headDim } = sizes;
  invariant(rotary, "a rotary model needs cos and sin");
  const split = (value: Value, count: number): Value =>
    reshape(g, value, [batch, length, count, headDim]);
  const normed = (value: Value, name: string): Value =>
    traits.queryKeyNorm
      ? rmsNorm(g, value, scope.tensor(`self_attn.${name}.weight`), traits.epsilon)
      : value;

  const h = rmsNorm(g, x, scope.tensor("input_layernorm.weight"), traits.epsilon);
  const attend: ComputePart = (input, linear) => {
    const q = normed(split(linear("self_attn.q_proj", input), heads), "q_norm");
    const k = normed(split(linear("self_attn.k_proj", input), keyValueHeads), "k_norm");
    const v = split(linear("self_attn.v_proj", input), keyValueHeads);
    const inputs = {
      queries: rope(g, q, rotary.cos, rotary.sin),
      keys: rope(g, k, rotary.cos, rotary.sin),
      values: v,
    };
    return linear("self_attn.o_proj", attention(g, inputs, context));
  };
  const attended = add(g, x, scope.part("attention", h, attend));

  const m = rmsNorm(g, attended, scope.tensor("post_attention_layernorm.weight"), traits.epsilon);
  const feedForward: ComputePart = (input, linear) => {
    const gate = traits.activation(g, linear("mlp.gate_proj", input));
    return linear("mlp.down_proj", mul(g, gate, linear("mlp.up_proj", input)));
  };
  return add(g, attended, scope.part("mlp", m, feedForward));
}

function layerSpec(sizes: ModelSizes, traits: Traits, index: number): BlockSpec {
  const { hidden, heads, keyValueHeads, headDim, intermediate } = sizes;
  const prefix = `model.layers.${index}.`;
  const site = sitesUnder(prefix);
  const linears = [
    site("self_attn.q_proj", hidden, heads * headDim, traits.attentionBias),
    site("self_attn.k_proj", hidden, keyValueHeads * headDim, traits.attentionBias),
    site("self_attn.v_proj", hidden, keyValueHeads * headDim, traits.attentionBias),
    site("self_attn.o_proj", heads * headDim, hidden, traits.outputBias),
    site("mlp.gate_proj", hidden, intermediate, traits.mlpBias),
    site("mlp.up_proj", hidden, intermediate, traits.mlpBias),
    site("mlp.down_proj", intermediate, hidden, traits.mlpBias),
  ];
  const norm = (name: string, size: number): TensorSpec => ({
    name: `${name}.weight`,
    source: `${prefix}${name}.weight`,
    shape: [size],
    role: "norm",
  });
  return {
    kind: "layer",
    id: `layers.${index}`,
    linears,
    parts: partsUnder({ attention: "self_attn.", mlp: "mlp." }, linears),
    tensors: [
      norm("input_layernorm", hidden),
      ...linears.flatMap((linear) => linearTensors(linear)),
      ...(traits.queryKeyNorm
        ? [norm("self_attn.q_norm", headDim), norm("self_attn.k_norm", headDim)]
        : []),
      norm("post_attention_layernorm", hidden),
    ],
  };
}

function headSpec(sizes: ModelSizes, traits: Traits): BlockSpec {
  const { vocabulary, hidden } = sizes;
  return {
    kind: "head",
    id: "head",
    linears: [
      { name: "lm_head", module: "lm_head", in: hidden, out: vocabulary, bias: false, head: true },
    ],
    tensors: [
      { name: "norm.weight", source: "model.norm.weight", shape: [hidden], role: "norm" },
      {
        name: "lm_head.weight",
        source: traits.tied ? "model.embed_tokens.weight" : "lm_head.weight",
        shape: [vocabulary, hidden],
        role: "linear",
      },
    ],
  };
}
