/** @file Foreign names that nothing stands for here, with the reason: some lose nothing, some would change the run. */

/** What a name's values mean where nothing here stands for them. */
export interface WithoutCounterpart {
  /** Why, as the end of a sentence about the field. */
  readonly because: string;
  /** Whether leaving it out changes what the experiment is; values that are off never do. */
  readonly changesRun: boolean;
  readonly names: readonly string[];
}

const names = (text: string): readonly string[] => text.trim().split(/\s+/);

function nothingLost(because: string, text: string): WithoutCounterpart {
  return { because, changesRun: false, names: names(text) };
}

function wouldChange(because: string, text: string): WithoutCounterpart {
  return { because, changesRun: true, names: names(text) };
}

export const withoutCounterpart: readonly WithoutCounterpart[] = [
  nothingLost(
    "has no place here: each run has its own folder under `.spectune/runs`.",
    `output_dir overwrite_output_dir logging_dir dataset_prepared_path overwrite_cache run_name
    save_only_model save_safetensors`,
  ),
  nothingLost(
    "has no place here: every step is recorded.",
    `logging_steps logging_strategy logging_first_step plot_loss disable_tqdm log_level
    include_num_input_tokens_seen loss_watchdog_threshold loss_watchdog_patience
    include_effective_tokens_per_second print_param_status eval_table_size`,
  ),
  nothingLost(
    "has no place here: it is told from the model.",
    `fan_in_fan_out lora_fan_in_fan_out model_type tokenizer_type is_llama_derived_model
    tokenizer_name use_fast_tokenizer tokenizer_use_fast tokenizer_config gptq`,
  ),
  nothingLost(
    "has no place here: how the arithmetic is done is the engine's choice.",
    `tf32 flash_attention flash_attn xformers_attention sdp_attention eager_attention
    attn_implementation gradient_checkpointing_kwargs torch_compile bnb_4bit_quant_storage
    bf16_full_eval fp16_full_eval eval_accumulation_steps ddp_timeout ddp_find_unused_parameters
    local_rank runtime_config half_precision_backend fp16_opt_level ddp_backend accelerator_config
    full_determinism use_liger_kernel enable_liger_kernel use_unsloth use_mps_device tpu_num_cores
    torchdynamo padding_free activation_offloading auto_find_batch_size upcast_layernorm plugins
    average_tokens_across_devices lora_mlp_kernel lora_qkv_kernel lora_o_kernel lora_on_cpu
    liger_rope liger_rms_norm liger_glu_activation liger_fused_linear_cross_entropy
    qlora_sharded_model_loading infer_dtype neat_packing packing_strategy`,
  ),
  nothingLost(
    "has no place here: data are read and batched by one reader.",
    `preprocessing_num_workers dataset_processes dataset_num_proc dataloader_num_workers
    dataloader_pin_memory dataloader_prefetch_factor remove_unused_columns pad_to_sequence_len
    pad_to_multiple_of length_column_name eval_sample_packing shuffle_merged_datasets
    eval_packing dataset_kwargs label_names streaming tokenized_path`,
  ),
  nothingLost(
    "has no place here: `spectune run` trains, and measures where `data` has something to measure on.",
    "do_train do_eval do_predict prediction_loss_only strict predict_with_generate",
  ),
  nothingLost(
    "has no place here: no code of a model is run, and nothing is fetched or sent.",
    `trust_remote_code hf_use_auth_token use_auth_token hub_token hub_model_id hub_strategy
    hub_private_repo push_to_hub wandb_project wandb_entity wandb_watch wandb_name wandb_run_id
    wandb_log_model mlflow_tracking_uri mlflow_experiment_name comet_project_name use_wandb
    use_tensorboard`,
  ),
  nothingLost(
    "has no place here: an adapter that is trained is always stored for use.",
    "inference_mode pissa_convert",
  ),
  nothingLost("has no place here: the best checkpoint is always kept.", "load_best_model_at_end"),
  nothingLost(
    "has no place here: `spectune run --resume RUN` goes on with a run.",
    "resume_from_checkpoint auto_resume_from_checkpoints ignore_data_skip",
  ),
  nothingLost(
    "has no place here: it only describes the file or another field.",
    "auto_mapping peft_version megatron_core loftq_config qalora_group_size parent_library use_peft",
  ),
  wouldChange("has no counterpart: a run uses one device.", "deepspeed fsdp fsdp_config"),
  wouldChange(
    "names an entry of a registry; here `data.train` is a file.",
    `dataset dataset_name dataset_config_name dataset_config dataset_dir dataset_train_split
    dataset_test_split eval_dataset mix_strategy`,
  ),
  wouldChange(
    "has no counterpart: every row of the file is used. Make a smaller file.",
    "max_samples max_train_samples max_eval_samples",
  ),
  wouldChange(
    "has no counterpart: the special tokens are those of the tokenizer's own files.",
    "special_tokens added_tokens tokens eos_token pad_token new_special_tokens resize_vocab",
  ),
  wouldChange(
    "has no counterpart: the loss is the plain cross-entropy.",
    "label_smoothing_factor neftune_noise_alpha noisy_embedding_alpha",
  ),
  wouldChange(
    "is said by `train.optimizer` here: `lora_plus` or `galore`, with fields of their own.",
    `loraplus_lr_ratio lora_plus_lr_ratio loraplus_lr_embedding use_galore galore_rank
    galore_update_interval galore_scale galore_target`,
  ),
  wouldChange(
    "is said by `train.active_layers` here: `lisa`, with fields of its own.",
    "lisa_n_layers lisa_step_interval",
  ),
  wouldChange(
    "has no counterpart in this version.",
    `rl relora_steps unfrozen_parameters s2_attention shift_attn use_badam use_apollo use_muon
    eval_delay torch_empty_cache_steps dataloader_drop_last include_tokens_per_second optim_args
    optim_target_modules lr_scheduler_kwargs adafactor cosine_min_lr_ratio cosine_constant_lr_ratio
    freeze_trainable_layers freeze_trainable_modules pure_bf16 rope_scaling mask_history
    create_new_adapter chat_template_path`,
  ),
  // peft's LoraConfig beyond what has a field here
  wouldChange(
    "is said by the method's `init` here: `eva`, `corda` or `lora_ga`, with fields of their own.",
    "eva_config corda_config lora_ga_config",
  ),
  wouldChange(
    "has no counterpart: only plain LoRA factors beside linear layers are trained.",
    `kasa_config monteclora_config velora_config arrow_config
    megatron_config layer_replication trainable_token_indices target_parameters
    ensure_weight_tying alora_invocation_tokens use_qalora use_bdlora`,
  ),
];
