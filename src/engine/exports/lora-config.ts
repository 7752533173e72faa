/** @file adapter_config.json of a LoRA adapter: every field of peft's LoraConfig at the version that this is tested with. */
import { invariant } from "../../shared/errors.ts";
import type { Values } from "../../shared/schema.ts";
import { mostCommon, patternOf } from "./peft-names.ts";

/** The version of peft whose fields are written. */
export const peftVersion = "0.21.2";

/** What a LoRA adapter's configuration depends on. */
export interface LoraFacts {
  /** The method's configuration at each adapted module. */
  readonly sites: ReadonlyMap<string, Values>;
  /** Whether the pairs are weight-decomposed. */
  readonly dora: boolean;
  readonly targetModules: readonly string[];
  readonly modulesToSave: readonly string[];
  readonly bias: "none" | "all" | "lora_only";
  readonly dropout: number;
  readonly task: "causal-lm" | "sequence-classification";
  /** Whether adapted weights are stored as [in, out]. */
  readonly fanInFanOut: boolean;
  readonly baseModel: string;
  readonly revision: string | null;
}

/** The fields as peft saves them, in the order of their names. */
export function loraConfig(facts: LoraFacts): Readonly<Record<string, unknown>> {
  const { ranks, alphas, rslora } = scales(facts.sites);
  const r = mostCommon([...ranks.values()]) ?? 0;
  const alpha = mostCommon([...alphas.values()]) ?? 0;
  return {
    alora_invocation_tokens: null,
    alpha_pattern: patternOf(alphas, alpha),
    arrow_config: null,
    auto_mapping: null,
    base_model_name_or_path: facts.baseModel,
    bias: facts.bias,
    corda_config: null,
    ensure_weight_tying: false,
    eva_config: null,
    exclude_modules: null,
    fan_in_fan_out: facts.fanInFanOut,
    inference_mode: true,
    init_lora_weights: true,
    kasa_config: null,
    layer_replication: null,
    layers_pattern: null,
    layers_to_transform: null,
    loftq_config: {},
    lora_alpha: alpha,
    lora_bias: false,
    lora_dropout: facts.dropout,
    lora_ga_config: null,
    megatron_config: null,
    megatron_core: "megatron.core",
    modules_to_save: facts.modulesToSave.length === 0 ? null : facts.modulesToSave,
    monteclora_config: null,
    peft_type: "LORA",
    peft_version: peftVersion,
    qalora_group_size: 16,
    r,
    rank_pattern: patternOf(ranks, r),
    revision: facts.revision,
    target_modules: facts.targetModules,
    target_parameters: null,
    task_type: facts.task === "causal-lm" ? "CAUSAL_LM" : "SEQ_CLS",
    trainable_token_indices: null,
    use_bdlora: null,
    use_dora: facts.dora,
    use_qalora: false,
    use_rslora: rslora,
    velora_config: null,
  };
}

/** The configuration of a type of adapter other than LORA: what all of peft's have, and the type's own fields. */
export function otherConfig(
  type: string,
  facts: LoraFacts,
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    auto_mapping: null,
    base_model_name_or_path: facts.baseModel,
    exclude_modules: null,
    inference_mode: true,
    layers_pattern: null,
    layers_to_transform: null,
    modules_to_save: facts.modulesToSave.length === 0 ? null : facts.modulesToSave,
    peft_type: type,
    peft_version: peftVersion,
    revision: facts.revision,
    target_modules: facts.targetModules,
    task_type: facts.task === "causal-lm" ? "CAUSAL_LM" : "SEQ_CLS",
    ...fields,
  };
}

/**
 * Rank and alpha of each module. peft has one `use_rslora` for all: where modules differ in it, alpha
 * takes up the difference, since alpha / √r = (alpha √r) / r.
 */
function scales(sites: ReadonlyMap<string, Values>): {
  readonly ranks: ReadonlyMap<string, number>;
  readonly alphas: ReadonlyMap<string, number>;
  readonly rslora: boolean;
} {
  const all = [...sites].map(([module, config]) => ({ module, ...loraValues(config) }));
  const rslora = all.every((site) => site.rslora);
  return {
    ranks: new Map(all.map(({ module, r }) => [module, r])),
    alphas: new Map(
      all.map((site) => [
        site.module,
        site.rslora && !rslora ? site.alpha * Math.sqrt(site.r) : site.alpha,
      ]),
    ),
    rslora,
  };
}

function loraValues({ r, alpha, use_rslora: rslora }: Values): {
  readonly r: number;
  readonly alpha: number;
  readonly rslora: boolean;
} {
  invariant(typeof r === "number" && typeof alpha === "number", "LoRA has no rank or alpha");
  return { r, alpha, rslora: rslora === true };
}
