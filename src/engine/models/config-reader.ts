/** @file Reads a Hugging Face config.json field by field, remembering what was read and what is wrong. */
import type { Finding } from "../../shared/findings.ts";

export interface ConfigReader {
  readonly findings: Finding[];
  /** A positive whole number; missing without a default, or of another type, is an error. */
  int(field: string, fallback?: number): number;
  /** The same, bounded: for what memory is allocated by. */
  count(field: string, most: number, fallback?: number): number;
  /** A whole number of at least 0. */
  index(field: string, fallback: number): number;
  /** A number above 0; missing without a default, or of another type, is an error. */
  positive(field: string, fallback?: number): number;
  flag(field: string, fallback: boolean): boolean;
  text(field: string, fallback: string): string;
  /** A nested object, with its own reader; undefined where it is missing or null. */
  object(field: string): ConfigReader | undefined;
  /** The field as it stands: `undefined` where it is missing, which is not the same as `null`. */
  value(field: string): unknown;
  /** Refuses by name a field whose value would change the result in a way not computed here. */
  only(field: string, allowed: readonly unknown[], why: string): void;
  refuse(field: string, why: string): void;
  /** Refuses a field unless `holds`; says nothing where an error before may be the reason. */
  need(holds: boolean, field: string, why: string): void;
  /** Warns of every field that nobody read and that is not known to be harmless. */
  warnOfRest(): void;
}

const remedies: ReadonlyMap<string, string> = new Map([
  ["model-config", "The file is damaged, or of another kind of model: fetch it again."],
  [
    "unsupported-model-config",
    "Take a model without it; to change the field alone would change what the model computes.",
  ],
]);

/**
 * Fields of config.json that describe, train or generate, but do not change a forward pass. Those that
 * only some architectures heed (`is_decoder`, `layer_types`) are read where they matter.
 */
const harmless: ReadonlySet<string> = new Set(
  (
    "architectures model_type torch_dtype dtype transformers_version _name_or_path use_cache bos_token_id eos_token_id " +
    "pad_token_id sep_token_id cls_token_id unk_token_id decoder_start_token_id initializer_range initializer_factor " +
    "id2label label2id num_labels problem_type attention_dropout hidden_dropout hidden_dropout_prob " +
    "attention_probs_dropout_prob classifier_dropout attn_pdrop embd_pdrop resid_pdrop summary_activation " +
    "summary_first_dropout summary_proj_to_labels summary_type summary_use_proj task_specific_params n_ctx " +
    "output_attentions output_hidden_states return_dict return_dict_in_generate gradient_checkpointing finetuning_task " +
    "tokenizer_class prefix is_decoder is_encoder_decoder add_cross_attention tie_encoder_decoder cross_attention_hidden_size " +
    "chunk_size_feed_forward torchscript use_bfloat16 pruned_heads max_window_layers directionality pooler_fc_size " +
    "pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type model_max_length unsloth_fixed unsloth_version " +
    "rope_interleaved is_llama_config auto_map layer_types reorder_and_upcast_attn"
  ).split(" "),
);

/** Far above what any model has: a damaged file must not fill the memory. */
export const mostLayers = 4096;
export const mostWidth = 2 ** 20;

/** Sizes are indices of tensors, which are int32. */
const largest = 2 ** 31 - 1;

/** A reader over a parsed config.json; `file` names it in findings. */
export function readConfig(json: unknown, file: string, prefix = ""): ConfigReader {
  const fields: ReadonlyMap<string, unknown> = new Map(
    typeof json === "object" && json !== null && !Array.isArray(json) ? Object.entries(json) : [],
  );
  const findings: Finding[] = [];
  const read = new Set<string>();
  const children: ConfigReader[] = [];

  const report = (
    severity: "error" | "warning",
    code: string,
    field: string,
    message: string,
  ): void => {
    const place = { file, field: `${prefix}${field}` };
    const remedy = severity === "error" ? remedies.get(code) : undefined;
    findings.push({ code, severity, message, place, ...(remedy === undefined ? {} : { remedy }) });
  };
  const typed = <T>(
    field: string,
    fallback: T | undefined,
    accept: (value: unknown) => value is T,
    what: string,
    zero: T,
  ): T => {
    read.add(field);
    const value = fields.get(field) ?? undefined;
    if (value === undefined && fallback !== undefined) return fallback;
    if (accept(value)) return value;
    report(
      "error",
      "model-config",
      field,
      value === undefined
        ? `${file} has no ${prefix}${field}.`
        : `${prefix}${field} in ${file} must be ${what}, not ${JSON.stringify(value)}.`,
    );
    return fallback ?? zero;
  };
  const isIndex = (value: unknown): value is number =>
    typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= largest;
  const isSize = (value: unknown): value is number => isIndex(value) && value > 0;
  const isPositive = (value: unknown): value is number =>
    typeof value === "number" && Number.isFinite(value) && value > 0;
  const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
  const isOff = (value: unknown): boolean =>
    value === undefined || value === null || value === false;
  const isText = (value: unknown): value is string => typeof value === "string";

  const reader: ConfigReader = {
    findings,
    int: (field, fallback) => typed(field, fallback, isSize, "a positive whole number", 1),
    count: (field, most, fallback) =>
      typed(
        field,
        fallback,
        (value): value is number => isSize(value) && value <= most,
        `a whole number from 1 to ${most}`,
        1,
      ),
    index: (field, fallback) => typed(field, fallback, isIndex, "a whole number of at least 0", 0),
    positive: (field, fallback) => typed(field, fallback, isPositive, "a number above 0", 1),
    flag: (field, fallback) => typed(field, fallback, isFlag, "true or false", false),
    text: (field, fallback) => typed(field, fallback, isText, "text", ""),
    value(field) {
      read.add(field);
      return fields.get(field);
    },
    object(field) {
      read.add(field);
      const value = fields.get(field);
      if (typeof value !== "object" || value === null) return undefined;
      const child = readConfig(value, file, `${prefix}${field}.`);
      children.push(child);
      return child;
    },
    only(field, allowed, why) {
      read.add(field);
      const value = fields.get(field);
      if (value === undefined || value === null || allowed.includes(value)) return;
      report(
        "error",
        "unsupported-model-config",
        field,
        `${prefix}${field}: ${JSON.stringify(value)} in ${file} is not supported: ${why}`,
      );
    },
    refuse(field, why) {
      report(
        "error",
        "unsupported-model-config",
        field,
        `${prefix}${field} in ${file} is not supported: ${why}`,
      );
    },
    need(holds, field, why) {
      if (!holds && findings.length === 0) reader.refuse(field, why);
    },
    warnOfRest() {
      for (const child of children) {
        child.warnOfRest();
        findings.push(...child.findings);
      }
      for (const [field, value] of fields) {
        if (read.has(field) || harmless.has(field) || isOff(value)) continue;
        report(
          "warning",
          "unknown-model-config",
          field,
          `${prefix}${field} in ${file} is not known here and has no effect.`,
        );
      }
    },
  };
  return reader;
}
