/** @file JSON schemas for editors that are not ours: experiment files, and peft's adapter_config.json. */
import { loraConfigFields } from "../../engine/adapters/lora-config-fields.ts";
import { catalogFields } from "../../engine/catalog.ts";
import type { JsonSchema } from "../../shared/experiment/json-schema.ts";
import { experimentJsonSchema } from "../../shared/experiment/json-schema.ts";

export function experimentSchema(): string {
  return text(experimentJsonSchema(catalogFields));
}

/** Every field of peft's LoraConfig with its type, and what becomes of it here. */
export function adapterConfigSchema(): string {
  const properties = Object.fromEntries(
    Object.entries(loraConfigFields).map(([field, rule]) => {
      const { doc, ...form } = forms[narrow(field)];
      return [field, { ...form, description: `${doc} ${fate(rule)}`.trim() }];
    }),
  );
  return text({
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: "spectune-adapter-config",
    title: "PEFT adapter configuration",
    description: "adapter_config.json, as peft writes it for LoRA.",
    type: "object",
    properties,
    required: ["peft_type"],
  });
}

type FieldName = keyof typeof loraConfigFields;
type Rule = (typeof loraConfigFields)[FieldName];

function narrow(field: string): FieldName {
  if (isField(field)) return field;
  throw new RangeError(`LoraConfig has no ${field}`);
}

function isField(field: string): field is FieldName {
  return Object.hasOwn(loraConfigFields, field);
}

function fate(rule: Rule): string {
  if (rule === "read") return "Read.";
  if ("noEffect" in rule) return `Without effect on a loaded adapter: ${lowered(rule.noEffect)}`;
  return `Other values are refused: ${rule.why}`;
}

/** The beginning of a sentence within another; names keep their letters. */
function lowered(sentence: string): string {
  return sentence.startsWith("It ") ? `it ${sentence.slice(3)}` : sentence;
}

function text(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

const flag = { type: ["boolean", "null"] };
const words = { type: ["string", "null"] };
const names = {
  anyOf: [{ type: "array", items: { type: "string" } }, { type: ["string", "null"] }],
};
const list = { type: ["array", "null"], items: { type: "string" } };
const config = { type: ["object", "null"] };
const pattern = (type: string) => ({ type: ["object", "null"], additionalProperties: { type } });

/** The types of peft 0.21.2. */
const forms: { readonly [F in FieldName]: JsonSchema & { readonly doc: string } } = {
  task_type: {
    enum: [
      "CAUSAL_LM",
      "SEQ_CLS",
      "SEQ_2_SEQ_LM",
      "TOKEN_CLS",
      "QUESTION_ANS",
      "FEATURE_EXTRACTION",
      null,
    ],
    doc: "What the model is for.",
  },
  peft_type: { type: "string", doc: "The method." },
  auto_mapping: { ...config, doc: "Class of the base model." },
  peft_version: { ...words, doc: "Version of peft that wrote the file." },
  base_model_name_or_path: { ...words, doc: "The base model: a hub id or a folder." },
  revision: { ...words, doc: "Branch, tag or commit of the base." },
  inference_mode: { ...flag, doc: "Whether factors are frozen after loading." },
  r: { type: "integer", minimum: 1, doc: "Rank of the update B A." },
  target_modules: {
    ...names,
    doc: "Names of adapted modules, or an expression for the whole path.",
  },
  exclude_modules: { ...names, doc: "Modules left out." },
  lora_alpha: { type: "number", doc: "Scale: W' = W + (lora_alpha / r) B A." },
  lora_dropout: { type: "number", minimum: 0, maximum: 1, doc: "Dropout of the adapter's input." },
  fan_in_fan_out: { ...flag, doc: "Weights are stored as [in, out]." },
  bias: { enum: ["none", "all", "lora_only"], doc: "Which biases train." },
  use_rslora: { ...flag, doc: "Scale by lora_alpha / √r." },
  modules_to_save: { ...list, doc: "Modules trained whole." },
  init_lora_weights: { type: ["boolean", "string"], doc: "How the factors start." },
  layers_to_transform: {
    anyOf: [{ type: "array", items: { type: "integer" } }, { type: ["integer", "null"] }],
    doc: "Indices of adapted layers.",
  },
  layers_pattern: { ...names, doc: "Name of the list of layers." },
  rank_pattern: { ...pattern("integer"), doc: "Ranks by module." },
  alpha_pattern: { ...pattern("number"), doc: "Alphas by module." },
  megatron_config: { ...config, doc: "Megatron's parallel layers." },
  megatron_core: { ...words, doc: "Module of Megatron." },
  trainable_token_indices: {
    anyOf: [{ type: "array", items: { type: "integer" } }, { type: ["object", "null"] }],
    doc: "Rows of the embedding that train.",
  },
  loftq_config: { ...config, doc: "LoftQ's initialisation." },
  eva_config: { ...config, doc: "EVA's initialisation." },
  corda_config: { ...config, doc: "CorDA's initialisation." },
  lora_ga_config: { ...config, doc: "LoRA-GA's initialisation." },
  use_dora: { ...flag, doc: "Magnitude and direction apart." },
  velora_config: { ...config, doc: "VeLoRA." },
  alora_invocation_tokens: {
    type: ["array", "null"],
    items: { type: "integer" },
    doc: "Tokens behind which the adapter acts.",
  },
  use_qalora: { ...flag, doc: "QALoRA." },
  qalora_group_size: { type: ["integer", "null"], doc: "Inputs that QALoRA pools." },
  monteclora_config: { ...config, doc: "MonteCLoRA." },
  layer_replication: { type: ["array", "null"], doc: "Layers that are repeated." },
  runtime_config: { ...config, doc: "Where peft computes." },
  lora_bias: { ...flag, doc: "Biases of the B factors." },
  target_parameters: { ...list, doc: "Parameters adapted by themselves." },
  use_bdlora: { anyOf: [flag, config], doc: "Block-diagonal factors." },
  arrow_config: { ...config, doc: "Arrow's routing." },
  kasa_config: { ...config, doc: "KaSA." },
  ensure_weight_tying: { ...flag, doc: "Keeps tied weights tied." },
};
