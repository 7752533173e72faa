/** @file The architectures that are known, by the `model_type` of config.json. */
import { hasErrors } from "../../shared/findings.ts";
import { isRecord } from "../../shared/wire.ts";
import type { HeadOutputs, Model, ReadModel, Task } from "./architecture.ts";
import { readBert } from "./bert.ts";
import { readConfig } from "./config-reader.ts";
import type { ConfigReader } from "./config-reader.ts";
import { readGpt2 } from "./gpt2.ts";
import { readLlama } from "./llama.ts";

interface Architecture {
  readonly read: (config: ConfigReader, outputs: HeadOutputs | undefined) => Model;
  readonly tasks: readonly Task[];
}

/** One row for each `model_type`; the tasks it serves. */
const architectures: ReadonlyMap<string, Architecture> = new Map<string, Architecture>([
  ["llama", { read: (config) => readLlama(config, "llama"), tasks: ["causal-lm"] }],
  ["mistral", { read: (config) => readLlama(config, "mistral"), tasks: ["causal-lm"] }],
  ["qwen2", { read: (config) => readLlama(config, "qwen2"), tasks: ["causal-lm"] }],
  ["qwen3", { read: (config) => readLlama(config, "qwen3"), tasks: ["causal-lm"] }],
  ["gpt2", { read: readGpt2, tasks: ["causal-lm"] }],
  [
    "bert",
    {
      read: (config, outputs) => readBert(config, "bert", outputs),
      tasks: ["sequence-classification"],
    },
  ],
  [
    "roberta",
    {
      read: (config, outputs) => readBert(config, "roberta", outputs),
      tasks: ["sequence-classification"],
    },
  ],
]);

/** Names of the supported architectures. */
export const modelTypes: readonly string[] = [...architectures.keys()];

/**
 * Reads a parsed config.json; `file` names it in findings. Without a value where anything is refused.
 * `outputs` are those of a new classification head; without them config.json decides.
 */
export function readModel(
  json: unknown,
  file: string,
  task: Task,
  outputs?: HeadOutputs,
): ReadModel {
  const config = readConfig(json, file);
  const type = config.text("model_type", "");
  const place = { file, field: "model_type" };
  const architecture = architectures.get(type);
  if (!architecture) {
    const message =
      type === ""
        ? `${file} has no model_type.`
        : `The architecture ${JSON.stringify(type)} is not supported for training.`;
    const remedy = `Supported: ${modelTypes.join(", ")}.`;
    return refused({ code: "unknown-architecture", severity: "error", message, remedy, place });
  }
  if (!architecture.tasks.includes(task)) {
    const serving = modelTypes.filter((name) => architectures.get(name)?.tasks.includes(task));
    return refused({
      code: "unsupported-task",
      severity: "error",
      message: `\`task: ${task}\` does not go with this model: ${file} is of the architecture ${type}, which serves ${architecture.tasks.join(", ")} here.`,
      remedy: `Take a model of the architecture ${serving.join(" or ")}, or write \`task: ${architecture.tasks.join(" or ")}\`.`,
      place: { file: "", field: "task" },
    });
  }
  const model = architecture.read(config, outputs);
  const quantized = config.value("quantization_config");
  if (isRecord(quantized) && !readsQuantized(quantized["quant_method"]))
    config.refuse(
      "quantization_config",
      `the checkpoint is quantized in a way that is not read here; take the original and quantize it with \`spectune quantize\`, or one whose quant_method is ${quantMethods.join(", ")}.`,
    );
  config.warnOfRest();
  const failed = hasErrors(config.findings);
  return { value: failed ? undefined : model, findings: config.findings };
}

/** Ways of quantizing whose folders are read. */
const quantMethods: readonly string[] = ["spectune", "gptq", "awq", "bitsandbytes"];

function readsQuantized(method: unknown): boolean {
  return typeof method === "string" && quantMethods.includes(method);
}

function refused(finding: ReadModel["findings"][number]): ReadModel {
  return { value: undefined, findings: [finding] };
}
