/** @file The experiment's training settings under the names of peft and transformers, and what has none there. */
import type { Experiment } from "../../../shared/experiment/fields/experiment-fields.ts";
import type { Duration } from "../../../shared/schema.ts";

/** What a script does otherwise than the experiment. */
export type Notes = string[];

/** Fields of transformers' TrainingArguments. */
export function trainingArguments(
  { train, eval: measures, checkpoints, run, data }: Experiment,
  notes: Notes,
): Readonly<Record<string, unknown>> {
  const size =
    train.micro_batch_size === "auto"
      ? largestDivisor(train.batch_size, 8)
      : train.micro_batch_size;
  const evaluates = data.eval !== null;
  const { early_stop: early } = measures;
  const best = early ?? measures.best;
  const every = interval("eval.every", measures.every, notes);
  const save = interval("checkpoints.every", checkpoints.every, notes);
  const keepsBest = evaluates && every.strategy !== "no";
  if (keepsBest && save.strategy !== every.strategy)
    notes.push(
      "checkpoints.every: checkpoints are written when data.eval is measured, so that the best can be loaded.",
    );
  return {
    output_dir: "output",
    num_train_epochs: train.num_train_epochs,
    max_steps: train.max_steps ?? undefined,
    per_device_train_batch_size: size,
    gradient_accumulation_steps: train.batch_size / size,
    per_device_eval_batch_size: measures.batch_size === "auto" ? size : measures.batch_size,
    learning_rate: train.learning_rate,
    lr_scheduler_type:
      train.warmup_steps > 0 && train.lr_scheduler_type.type === "constant"
        ? "constant_with_warmup"
        : train.lr_scheduler_type.type,
    warmup_steps: train.warmup_steps,
    // 0 leaves gradients as they are, there as here.
    max_grad_norm: train.max_grad_norm,
    ...optimizerArguments(train.optimizer, notes),
    seed: train.seed,
    gradient_checkpointing: train.gradient_checkpointing ? true : undefined,
    ...(train.compute_dtype === "float16" ? { fp16: true } : {}),
    ...(train.compute_dtype === "bfloat16" ? { bf16: true } : {}),
    ...(train.group_by_length ? { train_sampling_strategy: "group_by_length" } : {}),
    eval_strategy: evaluates ? every.strategy : "no",
    ...(evaluates && every.steps !== undefined ? { eval_steps: every.steps } : {}),
    ...(evaluates ? { eval_on_start: measures.eval_on_start } : {}),
    save_strategy: keepsBest ? every.strategy : save.strategy,
    ...saveSteps(keepsBest ? every.steps : save.steps),
    save_total_limit: checkpoints.keep,
    ...(keepsBest
      ? {
          load_best_model_at_end: early !== null,
          metric_for_best_model: best.metric.replace(/^eval\./u, "eval_"),
          greater_is_better: best.mode === null ? undefined : best.mode === "max",
        }
      : {}),
    logging_steps: 1,
    ...(run.device === "cpu" ? { use_cpu: true } : {}),
    remove_unused_columns: false,
  };
}

/** Fields of peft's LoraConfig. */
export function loraArguments(
  choice: Experiment["method"][number],
  task: Experiment["task"],
  notes: Notes,
): Readonly<Record<string, unknown>> {
  const { config } = choice;
  const some = <T extends object>(value: T): T | undefined =>
    Object.keys(value).length === 0 ? undefined : value;
  const start = startNamed(choice.init);
  if (choice.init.type !== "default" && start === undefined)
    notes.push(`method.init: ${choice.init.type} is left out; factors start as peft's do.`);
  if (choice.layers_to_transform !== null && typeof choice.target_modules === "string")
    notes.push("method.layers_to_transform: peft takes it only beside a list of target_modules.");
  return {
    task_type: task === "causal-lm" ? "CAUSAL_LM" : "SEQ_CLS",
    r: config["r"],
    lora_alpha: config["alpha"],
    use_rslora: config["use_rslora"] === true ? true : undefined,
    use_dora: choice.type === "dora" ? true : undefined,
    init_lora_weights: start,
    lora_dropout: choice.dropout,
    target_modules: choice.target_modules ?? "all-linear",
    exclude_modules: choice.exclude_modules ?? undefined,
    layers_to_transform: choice.layers_to_transform ?? undefined,
    layers_pattern: choice.layers_pattern ?? undefined,
    rank_pattern: some(choice.rank_pattern),
    alpha_pattern: some(choice.alpha_pattern),
    bias: choice.bias,
    modules_to_save: choice.modules_to_save.length === 0 ? undefined : choice.modules_to_save,
  };
}

/** peft's name of a start that it makes of the weights alone; those that measure on data need a pass of their own. */
function startNamed({ type, config }: Experiment["method"][number]["init"]): string | undefined {
  if (type !== "pissa") return undefined;
  return config["svd"] === "fast" ? `pissa_niter_${String(config["iterations"])}` : "pissa";
}

/** Fields of transformers' BitsAndBytesConfig. */
export function quantizationArguments(
  { type, config, skip_modules: skipped }: NonNullable<Experiment["quantization"]>,
  notes: Notes,
): Readonly<Record<string, unknown>> {
  if (type !== "nf4")
    notes.push(`quantization: ${type} has no counterpart; the base is loaded in NF4.`);
  if (config["block_size"] !== 64)
    notes.push(`quantization.block_size: ${String(config["block_size"])} is 64 in transformers.`);
  return {
    load_in_4bit: true,
    bnb_4bit_quant_type: "nf4",
    bnb_4bit_use_double_quant: config["double_quant"] === true,
    llm_int8_skip_modules: skipped,
  };
}

function optimizerArguments(
  { type, config }: Experiment["train"]["optimizer"],
  notes: Notes,
): Readonly<Record<string, unknown>> {
  const decay = config["weight_decay"] ?? 0;
  if (type === "adamw") {
    const [beta1, beta2] = Array.isArray(config["betas"]) ? config["betas"].map(Number) : [];
    return {
      optim: "adamw_torch",
      adam_beta1: beta1,
      adam_beta2: beta2,
      adam_epsilon: config["eps"],
      weight_decay: decay,
    };
  }
  if (type !== "sgd") notes.push(`train.optimizer: ${type} has no counterpart; AdamW is taken.`);
  return { weight_decay: decay };
}

function largestDivisor(count: number, most: number): number {
  let divisor = Math.min(count, most);
  while (count % divisor !== 0) divisor--;
  return divisor;
}

interface TrainerInterval {
  readonly strategy: "steps" | "epoch" | "no";
  readonly steps?: number;
}

/** Trainer counts steps, or takes every epoch. */
function interval(field: string, duration: Duration | null, notes: Notes): TrainerInterval {
  if (duration === null || duration.unit === "end") return { strategy: "no" };
  if (duration.unit === "steps") return { strategy: "steps", steps: duration.count };
  if (duration.count !== 1) notes.push(`${field}: ${duration.count} epochs become each epoch.`);
  return { strategy: "epoch" };
}

function saveSteps(steps: number | undefined): Readonly<Record<string, unknown>> {
  return steps === undefined ? {} : { save_steps: steps };
}
