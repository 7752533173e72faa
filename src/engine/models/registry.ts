/** @file The architectures that are known, by the `model_type` of config.json. */
import { readConfig } from "./config-reader.ts";
import type { ConfigReader } from "./config-reader.ts";
import type { Model, ReadModel, Task } from "./architecture.ts";
import { readLlama } from "./llama.ts";

type Reader = (config: ConfigReader, task: Task) => Model;

/** One row for each `model_type`; the tasks it serves. */
const architectures: Readonly<Record<string, { readonly read: Reader; readonly tasks: readonly Task[] }>> = {
  llama: { read: (config) => readLlama(config, "llama"), tasks: ["causal-lm"] },
  mistral: { read: (config) => readLlama(config, "mistral"), tasks: ["causal-lm"] },
  qwen2: { read: (config) => readLlama(config, "qwen2"), tasks: ["causal-lm"] },
  qwen3: { read: (config) => readLlama(config, "qwen3"), tasks: ["causal-lm"] },
};

/** Names of the supported architectures. */
export const modelTypes: readonly string[] = Object.keys(architectures);

/** Reads a parsed config.json; `file` names it in findings. Without a value where anything is refused. */
export function readModel(json: unknown, file: string, task: Task): ReadModel {
  const config = readConfig(json, file);
  const type = config.text("model_type", "");
  const architecture = architectures[type];
  if (!architecture) {
    const message = type === "" ? `${file} has no model_type.` : `The architecture ${type} is not supported for training.`;
    const remedy = `Supported: ${modelTypes.join(", ")}.`;
    return { value: undefined, findings: [{ code: "unknown-architecture", severity: "error", message, remedy, place: { file, field: "model_type" } }] };
  }
  if (!architecture.tasks.includes(task))
    return {
      value: undefined,
      findings: [{ code: "unsupported-task", severity: "error", message: `${type} models serve ${architecture.tasks.join(", ")}, not ${task}.`, place: { file, field: "model_type" } }],
    };
  const model = architecture.read(config, task);
  config.warnOfRest();
  const failed = config.findings.some(({ severity }) => severity === "error");
  return { value: failed ? undefined : model, findings: config.findings };
}
