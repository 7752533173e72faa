/** @file Models read from config.json: what is refused by name, what is taken where a field is missing. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HeadOutputs, Model, Task } from "../../../../src/engine/models/architecture.ts";
import { modelTypes, readModel } from "../../../../src/engine/models/registry.ts";
import type { Config } from "./configs.ts";
import { bert, gpt2, llama, roberta } from "./configs.ts";

const classification = new Set<unknown>(["bert", "roberta"]);

function read(config: Config, outputs?: HeadOutputs) {
  const task: Task = classification.has(config["model_type"])
    ? "sequence-classification"
    : "causal-lm";
  return readModel(config, "config.json", task, outputs);
}

/** The model, which nothing was said about. */
function model(config: Config, outputs?: HeadOutputs): Model {
  const { value, findings } = read(config, outputs);
  assert.deepEqual(findings, []);
  assert(value);
  return value;
}

/** Fields that the errors name. */
function refused(config: Config): readonly (string | undefined)[] {
  const { value, findings } = read(config);
  assert.equal(value, undefined, "nothing was refused");
  return findings.filter(({ severity }) => severity === "error").map(({ place }) => place?.field);
}

/** A configuration, a change to it, and the field that the error must name. */
const refusals: readonly (readonly [Config, Config, string])[] = [
  [llama, { hidden_size: "16" }, "hidden_size"],
  [llama, { vocab_size: undefined }, "vocab_size"],
  [llama, { num_hidden_layers: -1 }, "num_hidden_layers"],
  [llama, { num_hidden_layers: 1e9 }, "num_hidden_layers"],
  [llama, { hidden_size: 2 ** 40 }, "hidden_size"],
  [llama, { head_dim: 1e9 }, "head_dim"],
  [llama, { hidden_size: 2 ** 30 }, "hidden_size"],
  [gpt2, { n_layer: 1e15 }, "n_layer"],
  [bert, { num_hidden_layers: 2.5 }, "num_hidden_layers"],
  [llama, { num_key_value_heads: 3 }, "num_key_value_heads"],
  [llama, { head_dim: 5 }, "head_dim"],
  [llama, { rms_norm_eps: 0 }, "rms_norm_eps"],
  [llama, { hidden_act: "quick_gelu" }, "hidden_act"],
  [llama, { hidden_act: "toString" }, "hidden_act"],
  [llama, { pretraining_tp: 2 }, "pretraining_tp"],
  [llama, { attention_bias: "yes" }, "attention_bias"],
  [llama, { partial_rotary_factor: 0.5 }, "partial_rotary_factor"],
  [llama, { rope_scaling: { type: "dynamic", factor: 2 } }, "rope_scaling.type"],
  [llama, { rope_scaling: { rope_type: "yarn", factor: 2 } }, "rope_scaling.rope_type"],
  [llama, { rope_scaling: { rope_type: "toString" } }, "rope_scaling.rope_type"],
  [llama, { rope_scaling: { type: "linear" } }, "rope_scaling.factor"],
  [llama, { rope_scaling: { rope_type: "linear", factor: 0 } }, "rope_scaling.factor"],
  [llama, { rope_parameters: { rope_theta: "high" } }, "rope_parameters.rope_theta"],
  [
    llama,
    { rope_parameters: { partial_rotary_factor: 0.5 } },
    "rope_parameters.partial_rotary_factor",
  ],
  [llama, { rope_parameters: { full_attention: {} } }, "rope_parameters.full_attention"],
  [llama, { quantization_config: { quant_method: "aqlm" } }, "quantization_config"],
  [gpt2, { n_head: 3 }, "n_head"],
  [gpt2, { activation_function: "mish" }, "activation_function"],
  [gpt2, { scale_attn_weights: false }, "scale_attn_weights"],
  [gpt2, { scale_attn_by_inverse_layer_idx: true }, "scale_attn_by_inverse_layer_idx"],
  [gpt2, { add_cross_attention: true }, "add_cross_attention"],
  [bert, { num_attention_heads: 5 }, "num_attention_heads"],
  [bert, { position_embedding_type: "relative_key" }, "position_embedding_type"],
  [bert, { is_decoder: true }, "is_decoder"],
  [bert, { add_cross_attention: true }, "add_cross_attention"],
  [bert, { hidden_act: "leaky_relu" }, "hidden_act"],
  [bert, { problem_type: "multi_label_classification" }, "problem_type"],
  [roberta, { pad_token_id: -1 }, "pad_token_id"],
  [roberta, { max_position_embeddings: 2 }, "max_position_embeddings"],
];

describe("what a config.json asks for and is not computed", () => {
  for (const [config, change, field] of refusals)
    it(`${String(config["model_type"])} ${JSON.stringify(change)} is refused by name`, () => {
      assert.deepEqual(refused({ ...config, ...change }), [field]);
    });

  it("an unknown architecture is refused with those that are known", () => {
    for (const type of ["gemma", "constructor"]) {
      const { value, findings } = read({ ...llama, model_type: type });
      assert.equal(value, undefined);
      assert.deepEqual(
        findings.map(({ code }) => code),
        ["unknown-architecture"],
      );
      assert.match(findings[0]?.remedy ?? "", new RegExp(modelTypes.join(", "), "u"));
    }
  });

  it("nothing but an object is a configuration", () => {
    for (const json of [null, [], 3, "llama"])
      assert.equal(readModel(json, "config.json", "causal-lm").value, undefined);
  });

  it("a task that an architecture does not serve is refused", () => {
    const codes = [
      readModel(llama, "config.json", "sequence-classification"),
      readModel(bert, "config.json", "causal-lm"),
    ].flatMap(({ findings }) => findings.map(({ code }) => code));
    assert.deepEqual(codes, ["unsupported-task", "unsupported-task"]);
  });

  it("a field without effect is named in a warning, and one that is off is not", () => {
    const { value, findings } = read({ ...llama, logit_scale: 2, sandwich_norm: false });
    assert(value);
    assert.deepEqual(
      findings.map(({ code, severity, place }) => [code, severity, place?.field]),
      [["unknown-model-config", "warning", "logit_scale"]],
    );
  });
});

describe("the Llama family", () => {
  const biases = (config: Config): readonly string[] =>
    (model(config).blocks[1]?.linears ?? []).flatMap(({ name, bias }) => (bias ? [name] : []));
  const attention = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
  const mlp = ["mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

  it("has the biases of its member", () => {
    assert.deepEqual(biases(llama), []);
    assert.deepEqual(biases({ ...llama, attention_bias: true, mlp_bias: true }), [
      ...attention,
      "self_attn.o_proj",
      ...mlp,
    ]);
    assert.deepEqual(biases({ ...llama, model_type: "qwen2" }), attention);
    assert.deepEqual(biases({ ...llama, model_type: "qwen3" }), []);
    assert.deepEqual(biases({ ...llama, model_type: "qwen3", attention_bias: true }), [
      ...attention,
      "self_attn.o_proj",
    ]);
    assert.deepEqual(biases({ ...llama, model_type: "mistral" }), []);
  });

  it("normalises queries and keys in qwen3 alone, whose heads are 128 wide where nothing is said", () => {
    const qwen3 = model({ ...llama, model_type: "qwen3" });
    assert.equal(qwen3.sizes.headDim, 128);
    const names = qwen3.blocks[1]?.tensors.map(({ name }) => name) ?? [];
    assert(names.includes("self_attn.q_norm.weight") && names.includes("self_attn.k_norm.weight"));
    assert.equal(model(llama).sizes.headDim, 4);
    assert.equal(model({ ...llama, head_dim: 6 }).sizes.headDim, 6);
  });

  it("takes key-value heads as transformers does: the member's own where missing, all where null", () => {
    const heads = {
      ...llama,
      num_attention_heads: 16,
      head_dim: 2,
      num_key_value_heads: undefined,
    };
    assert.equal(model(heads).sizes.keyValueHeads, 16);
    assert.equal(model({ ...heads, model_type: "mistral" }).sizes.keyValueHeads, 8);
    const none = { ...heads, num_key_value_heads: null };
    assert.equal(model({ ...none, model_type: "mistral" }).sizes.keyValueHeads, 16);
  });

  it("shares the embedding's tensor with a tied head", () => {
    const source = (config: Config): string | undefined =>
      model(config)
        .blocks.at(-1)
        ?.tensors.find(({ name }) => name === "lm_head.weight")?.source;
    assert.equal(source(llama), "lm_head.weight");
    assert.equal(source({ ...llama, tie_word_embeddings: true }), "model.embed_tokens.weight");
  });

  it("is no longer than a sliding window that slides", () => {
    const longest = (change: Config): number =>
      model({ ...llama, max_position_embeddings: 4000, ...change }).sizes.maxLength;
    const mistral = { model_type: "mistral" };
    const qwen2 = { model_type: "qwen2", use_sliding_window: true, sliding_window: 100 };
    assert.equal(longest({}), 4000);
    assert.equal(longest({ ...mistral, sliding_window: 100 }), 100);
    assert.equal(longest({ ...mistral, sliding_window: null }), 4000);
    assert.equal(longest({ ...mistral, max_position_embeddings: 9000 }), 4096);
    assert.equal(longest({ ...qwen2, use_sliding_window: false }), 4000);
    assert.equal(longest({ ...qwen2, max_window_layers: 2 }), 4000);
    assert.equal(longest({ ...qwen2, max_window_layers: 1 }), 100);
    const types = ["full_attention", "sliding_attention"];
    assert.equal(longest({ ...qwen2, layer_types: types }), 100);
    assert.equal(longest({ ...qwen2, layer_types: ["full_attention", "full_attention"] }), 4000);
  });
});

describe("gpt2", () => {
  it("stores its layers' weights transposed, and ties its head", () => {
    const { blocks, sizes } = model({ ...gpt2, n_inner: null });
    assert.equal(sizes.intermediate, 64);
    const linear = blocks.flatMap(({ tensors }) => tensors.filter(({ role }) => role === "linear"));
    assert.deepEqual(
      linear.filter(({ transposed }) => !transposed).map(({ source }) => source),
      ["transformer.wte.weight"],
    );
    assert.equal(linear.length, 9);
  });
});

describe("encoders", () => {
  const head = (config: Config, outputs?: HeadOutputs) => {
    const { labels, target } = model(config, outputs);
    return { labels, target };
  };
  const named = (...names: readonly string[]) => ({
    id2label: Object.fromEntries(names.entries()),
  });

  it("have the labels that config.json names; one is regression", () => {
    assert.deepEqual(head(bert), { labels: 2, target: "classes" });
    assert.deepEqual(head({ ...bert, num_labels: 5 }), { labels: 5, target: "classes" });
    const three = { ...bert, ...named("a", "b", "c"), num_labels: 9 };
    assert.deepEqual(head(three), { labels: 3, target: "classes" });
    assert.deepEqual(head({ ...bert, ...named("score") }), { labels: 1, target: "values" });
    const several = { ...bert, ...named("x", "y"), problem_type: "regression" };
    assert.deepEqual(head(several), { labels: 2, target: "values" });
  });

  it("have the labels that a run asks for", () => {
    const wanted: HeadOutputs = { labels: 7, target: "classes" };
    const config = { ...bert, ...named("score"), problem_type: "regression" };
    assert.deepEqual(head(config, wanted), wanted);
    const tensors = model(config, wanted).blocks.at(-1)?.tensors ?? [];
    assert.deepEqual(tensors.find(({ name }) => name === "classifier.weight")?.shape, [7, 16]);
  });

  it("may lack no tensor but those of pooler and classifier, which start as transformers starts them", () => {
    for (const [config, prefix] of [
      [bert, "bert.pooler.dense"],
      [roberta, "classifier.dense"],
    ] as const) {
      const { blocks } = model({ ...config, initializer_range: 0.01 });
      const fresh = blocks.flatMap(({ tensors }) => tensors.filter((tensor) => tensor.fresh));
      const classifier = config === bert ? "classifier" : "classifier.out_proj";
      assert.deepEqual(
        fresh.map((tensor) => [tensor.source, tensor.fresh]),
        [
          [`${prefix}.weight`, { normal: 0.01 }],
          [`${prefix}.bias`, "zeros"],
          [`${classifier}.weight`, { normal: 0.01 }],
          [`${classifier}.bias`, "zeros"],
        ],
      );
    }
  });

  it("count RoBERTa's positions from behind the padding index", () => {
    const { firstPosition, sizes, blocks } = model({ ...roberta, pad_token_id: 3 });
    assert.equal(firstPosition, 4);
    assert.equal(sizes.maxLength, 28);
    const table = blocks[0]?.tensors.find(({ rows }) => rows === "positions");
    assert.deepEqual(table?.shape, [32, 16]);
    assert.equal(model(bert).firstPosition, 0);
  });
});
