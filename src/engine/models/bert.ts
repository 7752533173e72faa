/** @file The encoders bert and roberta with a classification or regression head; LayerNorm after each part. */
import type { Value } from "../core/graph.ts";
import { add, layerNorm, reshape, tanh } from "../core/ops.ts";
import type { Activation } from "./activation.ts";
import { readActivation } from "./activation.ts";
import type {
  BlockScope,
  BlockSpec,
  ComputePart,
  HeadOutputs,
  LayerContext,
  LinearSpec,
  Model,
  ModelSizes,
  TensorSpec,
  TokenInputs,
} from "./architecture.ts";
import { attention } from "./attention.ts";
import type { ConfigReader } from "./config-reader.ts";
import { mostLayers } from "./config-reader.ts";
import { narrowSizes } from "./narrow-sizes.ts";
import { readLabels } from "./labels.ts";
import { layerNormTensors, linearTensors, sitesUnder } from "./tensor-specs.ts";

export type EncoderFamily = "bert" | "roberta";

/** What differs between the two. */
interface FamilyTraits {
  readonly transformersClass: string;
  /** The layer before the classifier: its name in the head's block, and its module. */
  readonly pooler: { readonly name: string; readonly module: string };
  readonly classifier: string;
  /** Whether an adapter run trains the pooler whole, as a part of the head. */
  readonly poolerInHead: boolean;
  /** Positions count from the padding index on. */
  readonly positionsAfterPadding: boolean;
}

const families: { readonly [F in EncoderFamily]: FamilyTraits } = {
  bert: {
    transformersClass: "BertForSequenceClassification",
    pooler: { name: "pooler.dense", module: "bert.pooler.dense" },
    classifier: "classifier",
    poolerInHead: false,
    positionsAfterPadding: false,
  },
  roberta: {
    transformersClass: "RobertaForSequenceClassification",
    pooler: { name: "classifier.dense", module: "classifier.dense" },
    classifier: "classifier.out_proj",
    poolerInHead: true,
    positionsAfterPadding: true,
  },
};

/** A model's own choices. */
interface Traits {
  readonly epsilon: number;
  readonly activation: Activation;
  /** Rows of the tables of positions and of token types. */
  readonly positions: number;
  readonly types: number;
  /** Standard deviation of a new head's weights. */
  readonly range: number;
}

/**
 * The base model's tensors must be in the checkpoint, its pooler and the classifier need not: like in
 * transformers, what is missing there starts anew. `wanted` overrides the labels of config.json.
 */
export function readBert(
  config: ConfigReader,
  family: EncoderFamily,
  wanted: HeadOutputs | undefined,
): Model {
  const fixed = families[family];
  const firstPosition = fixed.positionsAfterPadding ? config.index("pad_token_id", 1) + 1 : 0;
  const positions = config.int("max_position_embeddings", 512);
  config.need(
    positions > firstPosition,
    "max_position_embeddings",
    `positions start at ${firstPosition}.`,
  );
  const own = readSizes(config, positions - firstPosition);
  const traits: Traits = {
    epsilon: config.positive("layer_norm_eps", 1e-12),
    activation: readActivation(config, "hidden_act", "gelu"),
    positions,
    types: config.int("type_vocab_size", 2),
    range: config.positive("initializer_range", 0.02),
  };
  config.only("position_embedding_type", ["absolute"], "positions must be learned and absolute.");
  config.only("is_decoder", [false], "tokens must see those after them.");
  config.only("add_cross_attention", [false], "there is no encoder to attend to.");
  const { labels, target } = readLabels(config, wanted);
  const build = (sizes: ModelSizes): Model => ({
    modelType: family,
    task: "sequence-classification",
    transformersClass: fixed.transformersClass,
    sizes,
    basePrefix: family,
    labels,
    target,
    headModule: "classifier",
    causal: false,
    firstPosition,
    blocks: [
      embeddingSpec(family, sizes, traits),
      ...Array.from({ length: sizes.layers }, (_, index) => layerSpec(family, sizes, index)),
      headSpec(fixed, sizes, traits, labels),
    ],
    narrowed: (factor) => build(narrowSizes(sizes, factor)),
    embed: (scope, tokens) => embed(scope, tokens, traits),
    layer: (scope, hidden, context) => layer(scope, hidden, context, sizes, traits),
    head: (scope, rows) =>
      scope.linear(fixed.classifier, tanh(scope.g, scope.linear(fixed.pooler.name, rows))),
  });
  return build(own);
}

function readSizes(config: ConfigReader, maxLength: number): ModelSizes {
  const hidden = config.int("hidden_size");
  const heads = config.int("num_attention_heads");
  config.need(
    hidden % heads === 0,
    "num_attention_heads",
    `${heads} heads do not divide ${hidden}.`,
  );
  return {
    vocabulary: config.int("vocab_size"),
    hidden,
    layers: config.count("num_hidden_layers", mostLayers),
    heads,
    keyValueHeads: heads,
    headDim: Math.max(1, Math.floor(hidden / heads)),
    intermediate: config.int("intermediate_size"),
    maxLength: Math.max(1, maxLength),
  };
}

function embed(scope: BlockScope, { ids, positions, types }: TokenInputs, traits: Traits): Value {
  const { g } = scope;
  const words = scope.lookup("word_embeddings.weight", ids);
  const typed = add(g, words, scope.lookup("token_type_embeddings.weight", types));
  const placed = add(g, typed, scope.lookup("position_embeddings.weight", positions));
  return norm(scope, "LayerNorm", placed, traits);
}

function layer(
  scope: BlockScope,
  x: Value,
  context: LayerContext,
  { heads, headDim }: ModelSizes,
  traits: Traits,
): Value {
  const { g } = scope;
  const attend: ComputePart = (input, linear) => {
    const split = (name: string): Value =>
      reshape(g, linear(`attention.self.${name}`, input), [
        context.batch,
        context.length,
        heads,
        headDim,
      ]);
    const inputs = { queries: split("query"), keys: split("key"), values: split("value") };
    return linear("attention.output.dense", attention(g, inputs, context));
  };
  const mixed = scope.part("attention", x, attend);
  const attended = norm(scope, "attention.output.LayerNorm", add(g, mixed, x), traits);

  const feedForward: ComputePart = (input, linear) =>
    linear("output.dense", traits.activation(g, linear("intermediate.dense", input)));
  const inner = scope.part("mlp", attended, feedForward);
  return norm(scope, "output.LayerNorm", add(g, inner, attended), traits);
}

function norm(scope: BlockScope, name: string, x: Value, { epsilon }: Traits): Value {
  const [weight, bias] = [scope.tensor(`${name}.weight`), scope.tensor(`${name}.bias`)];
  return layerNorm(scope.g, x, weight, bias, epsilon);
}

function embeddingSpec(
  family: EncoderFamily,
  { vocabulary, hidden }: ModelSizes,
  { positions, types }: Traits,
): BlockSpec {
  const prefix = `${family}.embeddings.`;
  const table = (name: string, rows: keyof TokenInputs, count: number): TensorSpec => ({
    name: `${name}.weight`,
    source: `${prefix}${name}.weight`,
    shape: [count, hidden],
    role: "embedding",
    rows,
  });
  return {
    kind: "embedding",
    id: "embedding",
    linears: [],
    tensors: [
      table("word_embeddings", "ids", vocabulary),
      table("position_embeddings", "positions", positions),
      table("token_type_embeddings", "types", types),
      ...layerNormTensors("LayerNorm", prefix, hidden),
    ],
  };
}

function layerSpec(
  family: EncoderFamily,
  { hidden, intermediate }: ModelSizes,
  index: number,
): BlockSpec {
  const prefix = `${family}.encoder.layer.${index}.`;
  const site = sitesUnder(prefix);
  const linears = [
    site("attention.self.query", hidden, hidden),
    site("attention.self.key", hidden, hidden),
    site("attention.self.value", hidden, hidden),
    site("attention.output.dense", hidden, hidden),
    site("intermediate.dense", hidden, intermediate),
    site("output.dense", intermediate, hidden),
  ];
  return {
    kind: "layer",
    id: `layers.${index}`,
    linears,
    parts: [
      { name: "attention", linears: linears.slice(0, 4).map(({ name }) => name) },
      { name: "mlp", linears: linears.slice(4).map(({ name }) => name) },
    ],
    tensors: [
      ...linears.flatMap((linear) => linearTensors(linear)),
      ...layerNormTensors("attention.output.LayerNorm", prefix, hidden),
      ...layerNormTensors("output.LayerNorm", prefix, hidden),
    ],
  };
}

function headSpec(
  { pooler, classifier, poolerInHead }: FamilyTraits,
  { hidden }: ModelSizes,
  { range }: Traits,
  labels: number,
): BlockSpec {
  const linears: readonly LinearSpec[] = [
    { ...pooler, in: hidden, out: hidden, bias: true, ...(poolerInHead && { head: true }) },
    { name: classifier, module: classifier, in: hidden, out: labels, bias: true, head: true },
  ];
  return {
    kind: "head",
    id: "head",
    linears,
    tensors: linears.flatMap((linear) => linearTensors(linear, { fresh: { normal: range } })),
  };
}
