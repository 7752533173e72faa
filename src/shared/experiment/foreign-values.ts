/** @file Values that other projects write in fields of ours: `max_steps: -1`, `optimizer: adamw_torch`. */
import type { Json } from "../schema.ts";
import type { Located } from "./tree.ts";

/** What a value means here; `undefined` where it is ours. */
type ForeignValue = (node: Located) => Json | undefined;

/** Words that stand for another. */
function words(table: Readonly<Record<string, Json>>): ForeignValue {
  return (node) =>
    node.kind === "text" && Object.hasOwn(table, node.value) ? table[node.value] : undefined;
}

/** By the field's path. */
export const foreignValues: ReadonlyMap<string, ForeignValue> = new Map<string, ForeignValue>(
  Object.entries({
    "train.optimizer.type": words({
      adamw_torch: "adamw",
      adamw_torch_fused: "adamw",
      adamw_hf: "adamw",
      paged_adamw_32bit: "adamw",
      paged_adamw: "adamw",
      adamw_bnb_8bit: "adamw_8bit",
      paged_adamw_8bit: "adamw_8bit",
    }),
    "train.lr_scheduler_type.type": words({ constant_with_warmup: "constant" }),
    "train.max_steps": (node) => (node.kind === "number" && node.value === -1 ? null : undefined),
    "data.chat_template": (node) =>
      node.kind === "text" && /^tokenizer_default(_fallback_\w+)?$/.test(node.value)
        ? "tokenizer"
        : undefined,
    "method.target_modules": (node) =>
      node.kind === "text" && node.value.toLowerCase() === "all" ? "all-linear" : undefined,
    "train.compute_dtype": words({
      bf16: "bfloat16",
      fp16: "float16",
      fp32: "float32",
      "torch.bfloat16": "bfloat16",
      "torch.float16": "float16",
      "torch.float32": "float32",
    }),
    "run.report_to": words({ none: [], all: ["tensorboard"] }),
    "method.bias": (node) => (node.kind === "bool" ? (node.value ? "all" : "none") : undefined),
  } satisfies Readonly<Record<string, ForeignValue>>),
);
