/** @file Reads an adapter_config.json of the kinds that are no LoRA: of methods at linear layers, prompts, norms, and rows of the table of words. */
import type { Checked } from "../../shared/findings.ts";
import type { LoraAdapterConfig } from "./lora-config.ts";
import { unknownFields } from "./other-config-fields.ts";
import { linearForms } from "./linear-forms.ts";
import { normsPlacing, rowsPlacing } from "./own-tensors.ts";
import type { Json, Placing, Refusal } from "./placing.ts";
import { promptPlacing } from "./prompt-config.ts";

export interface OtherAdapterConfig extends Pick<
  LoraAdapterConfig,
  "task" | "baseModel" | "revision"
> {
  /** Where the tensors of the file go in a model. */
  readonly place: Placing;
}

/** What each type's own fields say, or which of them is not understood. */
const types: Readonly<Record<string, (json: Json) => Placing | Refusal>> = {
  PROMPT_TUNING: promptPlacing("prompt_tuning"),
  PREFIX_TUNING: promptPlacing("prefix_tuning"),
  LN_TUNING: () => normsPlacing,
  TRAINABLE_TOKENS: rowsPlacing,
  ...linearForms,
};

const tasks = { CAUSAL_LM: "causal-lm", SEQ_CLS: "sequence-classification" } as const;

export function isOtherConfig(json: unknown): json is Json {
  return readerOf(json) !== undefined;
}

export function readOtherConfig(json: Json, file: string): Checked<OtherAdapterConfig | undefined> {
  const { base_model_name_or_path: baseModel, revision, task_type: taskType = null } = json;
  const task = taskType === "CAUSAL_LM" || taskType === "SEQ_CLS" ? tasks[taskType] : undefined;
  const place =
    taskType !== null && task === undefined
      ? { field: "task_type", why: `only ${Object.keys(tasks).join(" and ")} are known here` }
      : readerOf(json)?.(json);
  if (typeof place !== "function")
    return {
      value: undefined,
      findings: [
        {
          code: "unsupported-adapter-field",
          severity: "error",
          message: `The adapter's ${place?.field ?? "peft_type"}: ${JSON.stringify(json[place?.field ?? ""])} is not supported: ${place?.why ?? "it is not known"}.`,
          place: { file, field: place?.field ?? "peft_type" },
          remedy: "Train it anew with an experiment of this project.",
        },
      ],
    };
  const text = (value: unknown): string | undefined =>
    typeof value === "string" ? value : undefined;
  return {
    value: { task, baseModel: text(baseModel), revision: text(revision), place },
    findings: unknownFields(text(json["peft_type"]) ?? "", json).map((field) => ({
      code: "unknown-adapter-field",
      severity: "warning",
      message: `${field} in ${file} is not known here and has no effect.`,
      place: { file, field },
      remedy: "Remove it, or look up in peft what it would do.",
    })),
  };
}

function readerOf(json: unknown): ((json: Json) => Placing | Refusal) | undefined {
  if (typeof json !== "object" || json === null || !("peft_type" in json)) return undefined;
  const { peft_type: type } = json;
  return typeof type === "string" && Object.hasOwn(types, type) ? types[type] : undefined;
}
