/** @file Reads an adapter_config.json of PROMPT_TUNING or PREFIX_TUNING, and finds its tensors' places in a model. */
import type { MethodChoice } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Checked, Finding } from "../../shared/findings.ts";
import { promptPrefix, promptTensor } from "../exports/prompt-adapter.ts";
import { storedShape } from "../exports/tensor-values.ts";
import type { Model } from "../models/architecture.ts";
import type { LoraAdapterConfig } from "./lora-config.ts";
import type { PlacedAdapter, PlacedTensor } from "./place-adapter.ts";

export interface PromptAdapterConfig extends Pick<
  LoraAdapterConfig,
  "task" | "baseModel" | "revision"
> {
  readonly type: "prompt_tuning" | "prefix_tuning";
  readonly count: number;
}

const types = { PROMPT_TUNING: "prompt_tuning", PREFIX_TUNING: "prefix_tuning" } as const;
const tasks = { CAUSAL_LM: "causal-lm", SEQ_CLS: "sequence-classification" } as const;

export function isPromptConfig(json: unknown): json is Readonly<Record<string, unknown>> {
  return fieldOf(json, "peft_type", types) !== undefined;
}

export function readPromptConfig(
  json: Readonly<Record<string, unknown>>,
  file: string,
): Checked<PromptAdapterConfig | undefined> {
  const type = fieldOf(json, "peft_type", types);
  const { num_virtual_tokens: count, num_transformer_submodules: parts = 1 } = json;
  const { base_model_name_or_path: baseModel, revision, task_type: taskType } = json;
  const task = fieldOf(json, "task_type", tasks);
  const refuse = (field: string, why: string): Checked<undefined> => ({
    value: undefined,
    findings: [
      {
        code: "unsupported-adapter-field",
        severity: "error",
        message: `The adapter's ${field}: ${JSON.stringify(json[field])} is not supported: ${why}`,
        place: { file, field },
        remedy: "Train the prompt anew with an experiment of this project.",
      },
    ],
  });
  if (type === undefined) return refuse("peft_type", "it is no prompt.");
  if (typeof count !== "number" || !Number.isInteger(count) || count < 1 || count > 100_000)
    return refuse("num_virtual_tokens", "it must be a whole number from 1 to 100,000.");
  if (parts !== 1 && parts !== null)
    return refuse("num_transformer_submodules", "models of one part alone are known here.");
  if (taskType !== null && taskType !== undefined && task === undefined)
    return refuse("task_type", `only ${Object.keys(tasks).join(" and ")} are known here.`);
  const text = (value: unknown): string | undefined =>
    typeof value === "string" ? value : undefined;
  return {
    value: { type, count, task, baseModel: text(baseModel), revision: text(revision) },
    findings: [],
  };
}

/** Where the file's tensors go: each layer's keys and values are columns of one. */
export function placePrompt(
  { type, count }: PromptAdapterConfig,
  names: ReadonlySet<string>,
  model: Model,
): Checked<PlacedAdapter> {
  const { hidden, keyValueHeads, headDim } = model.sizes;
  const width = keyValueHeads * headDim;
  const layers = model.blocks.filter(({ kind }) => kind === "layer");
  const all = type === "prompt_tuning" ? hidden : 2 * width * layers.length;
  const own = { name: promptTensor, shape: [count, all] };
  const prompt: readonly PlacedTensor[] =
    type === "prompt_tuning"
      ? [{ ...own, parameter: "embedding.tokens#prompt" }]
      : layers.flatMap(({ id }, index) =>
          ["keys", "values"].map((param, part) => ({
            ...own,
            parameter: `${id}.prefix#${param}`,
            columns: { from: (2 * index + part) * width, count: width },
          })),
        );
  const saved = model.blocks
    .flatMap(({ tensors }) => tensors)
    .filter(({ source }) => names.has(`${promptPrefix}${source}`))
    .map((tensor) => ({
      name: `${promptPrefix}${tensor.source}`,
      shape: storedShape(tensor),
      parameter: tensor.source,
      replaces: tensor,
    }));
  const known = new Set([promptTensor, ...saved.map(({ name }) => name)]);
  const unknown = [...names].find((name) => !known.has(name));
  const findings: Finding[] =
    unknown === undefined
      ? []
      : [
          {
            code: "unexpected-adapter-tensor",
            severity: "error",
            message: `The adapter has the tensor ${unknown}, which the model has no place for.`,
            remedy: "Give the base model that the adapter was trained on.",
          },
        ];
  return {
    value: {
      choice: choiceOf(type, count),
      tensors: [...prompt, ...saved],
      embeddings: [],
      copies: [],
    },
    findings,
  };
}

function choiceOf(type: PromptAdapterConfig["type"], count: number): MethodChoice {
  const own =
    type === "prompt_tuning"
      ? { prompt_tuning_init: "random", prompt_tuning_init_text: "" }
      : { prefix_projection: false, encoder_hidden_size: 128 };
  return {
    type,
    config: { num_virtual_tokens: count, ...own },
    target_modules: "all-linear",
    exclude_modules: null,
    layers_to_transform: null,
    layers_pattern: null,
    rank_pattern: {},
    alpha_pattern: {},
    dropout: 0,
    bias: "none",
    modules_to_save: [],
    init: { type: "default", config: {} },
    from: null,
    allocation: null,
    sharing: null,
  };
}

function fieldOf<V extends string>(
  json: unknown,
  field: string,
  words: Readonly<Record<string, V>>,
): V | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const value = new Map<string, unknown>(Object.entries(json)).get(field);
  return typeof value === "string" && Object.hasOwn(words, value) ? words[value] : undefined;
}
