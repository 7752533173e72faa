/** @file Fields of peft's configurations other than LoraConfig at 0.21.2: what stands in a file beside them is not known here. */

/** Of all or many types; those that say where tensors go are answered by the tensors themselves. */
const common = [
  ...["auto_mapping", "base_model_name_or_path", "bias", "exclude_modules", "fan_in_fan_out"],
  ...["inference_mode", "init_weights", "layers_pattern", "layers_to_transform"],
  ...["modules_to_save", "peft_type", "peft_version", "rank_pattern", "alpha_pattern"],
  ...["revision", "target_modules", "task_type"],
];

const prompt = [
  ...["num_attention_heads", "num_layers", "num_transformer_submodules", "num_virtual_tokens"],
  "token_dim",
];

const own: Readonly<Record<string, readonly string[]>> = {
  VERA: ["d_initial", "projection_prng_key", "r", "save_projection", "vera_dropout"],
  VBLORA: [
    ...["init_logits_std", "init_vector_bank_bound", "num_vectors", "r", "save_only_topk_weights"],
    ...["topk", "vblora_dropout", "vector_length"],
  ],
  RANDLORA: [
    ...["projection_prng_key", "r", "randlora_alpha", "randlora_dropout", "save_projection"],
    ...["sparse", "very_sparse"],
  ],
  MISS: ["mini_r", "miss_dropout", "r"],
  LOKR: [
    ...["alpha", "decompose_both", "decompose_factor", "module_dropout", "r", "rank_dropout"],
    ...["rank_dropout_scale", "use_effective_conv2d"],
  ],
  HIRA: ["hira_dropout", "r"],
  OFT: [
    ...["block_share", "coft", "eps", "module_dropout", "num_cayley_neumann_terms"],
    ...["oft_block_size", "r", "use_cayley_neumann"],
  ],
  IA3: ["feedforward_modules", "init_ia3_weights"],
  PROMPT_TUNING: [
    ...[...prompt, "prompt_tuning_init", "prompt_tuning_init_text"],
    ...["tokenizer_kwargs", "tokenizer_name_or_path"],
  ],
  PREFIX_TUNING: [...prompt, "encoder_hidden_size", "prefix_projection"],
  LN_TUNING: [],
  TRAINABLE_TOKENS: ["token_indices"],
};

/** Fields in a file of a type that say something and are not known; none where the type's fields are LoraConfig's. */
export function unknownFields(
  type: string,
  json: Readonly<Record<string, unknown>>,
): readonly string[] {
  const fields = own[type];
  if (fields === undefined) return [];
  const known = new Set([...common, ...fields]);
  return Object.entries(json)
    .filter(([name, value]) => !known.has(name) && value !== null && value !== false)
    .map(([name]) => name);
}
