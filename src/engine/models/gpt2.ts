/** @file GPT-2: LayerNorm before each part, learned positions, query, key and value in one product, the head tied. */
import type { Value } from "../core/graph.ts";
import { add, layerNorm, reshape, slice } from "../core/ops.ts";
import type { Activation } from "./activation.ts";
import { readActivation } from "./activation.ts";
import type {
  BlockScope,
  BlockSpec,
  ComputePart,
  LayerContext,
  LinearSpec,
  Model,
  ModelSizes,
} from "./architecture.ts";
import { attention } from "./attention.ts";
import type { ConfigReader } from "./config-reader.ts";
import { mostLayers } from "./config-reader.ts";
import { narrowSizes } from "./narrow-sizes.ts";
import { layerNormTensors, linearTensors, partsUnder, sitesUnder } from "./tensor-specs.ts";

interface Traits {
  readonly epsilon: number;
  readonly tied: boolean;
  readonly activation: Activation;
}

/** Weights are stored as [in, out] (transformers' Conv1D); the embedding and the head are not. */
export function readGpt2(config: ConfigReader): Model {
  const traits: Traits = {
    epsilon: config.positive("layer_norm_epsilon", 1e-5),
    tied: config.flag("tie_word_embeddings", true),
    activation: readActivation(config, "activation_function", "gelu_new"),
  };
  config.only("scale_attn_weights", [true], "scores are divided by the root of the head's size.");
  config.only("scale_attn_by_inverse_layer_idx", [false], "all layers scale their scores alike.");
  config.only("add_cross_attention", [false], "there is no encoder to attend to.");
  const build = (sizes: ModelSizes): Model => ({
    modelType: "gpt2",
    task: "causal-lm",
    transformersClass: "GPT2LMHeadModel",
    sizes,
    basePrefix: "transformer",
    target: "classes",
    causal: true,
    firstPosition: 0,
    blocks: [
      embeddingSpec(sizes),
      ...Array.from({ length: sizes.layers }, (_, index) => layerSpec(sizes, index)),
      headSpec(sizes, traits),
    ],
    narrowed: (factor) => build(narrowSizes(sizes, factor)),
    embed: (scope, { ids, positions }) =>
      add(scope.g, scope.lookup("wte.weight", ids), scope.lookup("wpe.weight", positions)),
    layer: (scope, hidden, context) => layer(scope, hidden, context, sizes, traits),
    head: (scope, rows) => scope.linear("lm_head", norm(scope, "ln_f", rows, traits)),
  });
  return build(readSizes(config));
}

function readSizes(config: ConfigReader): ModelSizes {
  const hidden = config.int("n_embd");
  const heads = config.int("n_head");
  config.need(hidden % heads === 0, "n_head", `${heads} heads do not divide ${hidden}.`);
  return {
    vocabulary: config.int("vocab_size"),
    hidden,
    layers: config.count("n_layer", mostLayers),
    heads,
    keyValueHeads: heads,
    headDim: Math.max(1, Math.floor(hidden / heads)),
    intermediate: config.int("n_inner", 4 * hidden),
    maxLength: config.int("n_positions", 1024),
  };
}

function layer(
  scope: BlockScope,
  x: Value,
  context: LayerContext,
  { hidden, heads, headDim }: ModelSizes,
  traits: Traits,
): Value {
  const { g } = scope;
  const { batch, length } = context;
  const attend: ComputePart = (input, linear) => {
    const mixed = linear("attn.c_attn", input);
    const part = (index: number): Value =>
      reshape(g, slice(g, mixed, 1, index * hidden, (index + 1) * hidden), [
        batch,
        length,
        heads,
        headDim,
      ]);
    const inputs = { queries: part(0), keys: part(1), values: part(2) };
    return linear("attn.c_proj", attention(g, inputs, context));
  };
  const attended = add(g, x, scope.part("attention", norm(scope, "ln_1", x, traits), attend));

  const feedForward: ComputePart = (input, linear) =>
    linear("mlp.c_proj", traits.activation(g, linear("mlp.c_fc", input)));
  return add(g, attended, scope.part("mlp", norm(scope, "ln_2", attended, traits), feedForward));
}

function norm(scope: BlockScope, name: string, x: Value, { epsilon }: Traits): Value {
  const [weight, bias] = [scope.tensor(`${name}.weight`), scope.tensor(`${name}.bias`)];
  return layerNorm(scope.g, x, weight, bias, epsilon);
}

function embeddingSpec({ vocabulary, hidden, maxLength }: ModelSizes): BlockSpec {
  return {
    kind: "embedding",
    id: "embedding",
    linears: [],
    tensors: [
      {
        name: "wte.weight",
        source: "transformer.wte.weight",
        shape: [vocabulary, hidden],
        role: "embedding",
      },
      {
        name: "wpe.weight",
        source: "transformer.wpe.weight",
        shape: [maxLength, hidden],
        role: "embedding",
        rows: "positions",
      },
    ],
  };
}

function layerSpec({ hidden, intermediate }: ModelSizes, index: number): BlockSpec {
  const prefix = `transformer.h.${index}.`;
  const site = sitesUnder(prefix);
  const linears = [
    site("attn.c_attn", hidden, 3 * hidden),
    site("attn.c_proj", hidden, hidden),
    site("mlp.c_fc", hidden, intermediate),
    site("mlp.c_proj", intermediate, hidden),
  ];
  return {
    kind: "layer",
    id: `layers.${index}`,
    linears,
    parts: partsUnder({ attention: "attn.", mlp: "mlp." }, linears),
    tensors: [
      ...layerNormTensors("ln_1", prefix, hidden),
      ...layerNormTensors("ln_2", prefix, hidden),
      ...linears.flatMap((linear) => linearTensors(linear, { transposed: true })),
    ],
  };
}

function headSpec({ vocabulary, hidden }: ModelSizes, { tied }: Traits): BlockSpec {
  const linear: LinearSpec = {
    name: "lm_head",
    module: "lm_head",
    in: hidden,
    out: vocabulary,
    bias: false,
    head: true,
  };
  return {
    kind: "head",
    id: "head",
    linears: [linear],
    tensors: [
      ...layerNormTensors("ln_f", "transformer.", hidden),
      ...linearTensors(linear).map((tensor) =>
        tied ? { ...tensor, source: "transformer.wte.weight" } : tensor,
      ),
    ],
  };
}
