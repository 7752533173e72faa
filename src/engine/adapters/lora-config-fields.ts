/** @file Every field of peft's LoraConfig, one row each: read, without effect on a loaded adapter, or refused by name. */

/** What becomes of a field of adapter_config.json. */
export type FieldRule =
  /** The reader takes it into account. */
  | "read"
  /** Whatever it says, a loaded adapter computes the same; the text says why. */
  | { readonly noEffect: string }
  /** Only these values are understood; `why` says what others would mean. */
  | {
      readonly only: (value: unknown) => boolean;
      readonly why: string;
      readonly remedy?: string;
    };

const off = (value: unknown): boolean => value === null || value === false || isEmpty(value);

const describesStart = { noEffect: "It says how an initialisation computes its factors." };

const convert =
  "In peft, save it with `save_pretrained(folder, path_initial_model_for_weight_conversion=…)`, which turns it into plain LoRA on the original base.";

/** Values of `init_lora_weights` that leave the base as it is. */
const plainStarts: readonly unknown[] = [true, false, "gaussian", "eva", "orthogonal", "mica"];

/** By the name of the field, as in peft 0.21.2. */
export const loraConfigFields = {
  task_type: "read",
  peft_type: {
    only: (value) => value === "LORA",
    why: "only LoRA adapters are loaded.",
    remedy: "Merge the adapter in peft, and take the merged model as the base.",
  },
  auto_mapping: { noEffect: "It names Python classes." },
  peft_version: { noEffect: "It says who wrote the file." },
  base_model_name_or_path: "read",
  revision: "read",
  inference_mode: { noEffect: "It says whether factors train after loading." },
  r: "read",
  target_modules: "read",
  exclude_modules: "read",
  lora_alpha: "read",
  lora_dropout: "read",
  fan_in_fan_out: { noEffect: "The model tells how its weights are stored; peft corrects it too." },
  bias: "read",
  use_rslora: "read",
  modules_to_save: "read",
  init_lora_weights: {
    only: (value) => plainStarts.includes(value),
    why: "the adapter's factors count against a base that this initialisation changed, and peft computes that change anew when it loads.",
    remedy: convert,
  },
  layers_to_transform: "read",
  layers_pattern: "read",
  rank_pattern: "read",
  alpha_pattern: "read",
  megatron_config: { only: off, why: "Megatron's parallel layers are not known here." },
  megatron_core: { noEffect: "It names a Python module for megatron_config." },
  trainable_token_indices: {
    only: off,
    why: "rows of the embedding were trained by themselves.",
    remedy: "Merge the adapter in peft, and take the merged model as the base.",
  },
  loftq_config: describesStart,
  eva_config: describesStart,
  corda_config: describesStart,
  lora_ga_config: describesStart,
  use_dora: "read",
  velora_config: { only: off, why: "VeLoRA is not known here." },
  alora_invocation_tokens: {
    only: off,
    why: "the adapter acts only behind its invocation tokens.",
  },
  use_qalora: { only: off, why: "QALoRA pools the inputs of its factors." },
  qalora_group_size: { noEffect: "It belongs to use_qalora." },
  monteclora_config: { only: off, why: "MonteCLoRA is not known here." },
  layer_replication: {
    only: off,
    why: "it makes a model with repeated layers.",
    remedy: "Merge the adapter in peft, and take the merged model as the base.",
  },
  runtime_config: { noEffect: "It says where peft computes." },
  lora_bias: {
    only: off,
    why: "its B factors have biases.",
    remedy: "Merge the adapter in peft, and take the merged model as the base.",
  },
  target_parameters: {
    only: off,
    why: "it adapts parameters that are not the weights of linear layers.",
  },
  use_bdlora: { only: off, why: "block-diagonal factors are not known here." },
  arrow_config: { only: off, why: "Arrow's routing between adapters is not known here." },
  kasa_config: { only: off, why: "KaSA is not known here." },
  ensure_weight_tying: {
    only: off,
    why: "it keeps adapted embeddings and heads tied.",
    remedy: "Merge the adapter in peft, and take the merged model as the base.",
  },
} as const satisfies Readonly<Record<string, FieldRule>>;

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
