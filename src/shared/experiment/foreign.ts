/** @file Names of fields of peft, TRL, transformers, axolotl and LLaMA-Factory, and what they are here. */
import type { Severity } from "../findings.ts";
import type { Json } from "../schema.ts";
import type { WithoutCounterpart } from "./foreign-without-counterpart.ts";
import { withoutCounterpart } from "./foreign-without-counterpart.ts";
import type { Located, Path } from "./tree.ts";
import { entryOf, plain } from "./tree.ts";

export interface Change {
  readonly path: Path;
  readonly value: Located | Json;
  /** Implied rather than said; it yields to whatever says the same field outright. */
  readonly soft?: boolean;
  /** Values of the field that it makes more exact rather than contradicts: DoRA is a LoRA. */
  readonly refines?: readonly string[];
}

/** Why a foreign field has nothing that stands for it here, as the end of a sentence. */
export interface Refusal {
  readonly because: string;
  readonly severity: Severity;
}

/** What a foreign name means, given its value and the other foreign names of the document. */
export type ForeignRow = (
  value: Located,
  others: ReadonlyMap<string, Located>,
) => readonly Change[] | Refusal;

/** The value goes to `path` as it is. */
function to(path: string): ForeignRow {
  return (value) => [change(path, value)];
}

function change(path: string, value: Located | Json, soft = false): Change {
  return { path: path.split("."), value, soft };
}

/** The value is looked up in a table; others are refused. */
function words(path: string, table: Readonly<Record<string, Json>>): ForeignRow {
  return (value) => {
    const word = wordOf(value);
    if (word === undefined || !Object.hasOwn(table, word)) return notUnderstood;
    const meant = table[word];
    return meant === undefined || meant === null ? [] : [change(path, meant)];
  };
}

/** A switch: `on` where it is true, nothing where it is false. */
function flag(...on: readonly Change[]): ForeignRow {
  return (value) => {
    const word = wordOf(value);
    return word === "true" || word === "1"
      ? on
      : word === "false" || word === "0" || word === "null"
        ? []
        : notUnderstood;
  };
}

function refused(because: string): ForeignRow {
  return () => ({ because, severity: "error" });
}

/** Nothing stands for it: an error where leaving it out would change the run, and it is not off anyway. */
function absent({ because, changesRun }: WithoutCounterpart): ForeignRow {
  if (!changesRun) return () => ({ because, severity: "warning" });
  return (value) => (isOff(value) ? [] : { because, severity: "error" });
}

/** Nothing, no, or none of them. */
function isOff(value: Located): boolean {
  if (value.kind === "list") return value.items.length === 0;
  if (value.kind === "map") return value.entries.length === 0;
  return ["null", "false", "0", ""].includes(wordOf(value) ?? "");
}

const notUnderstood: Refusal = { because: "is not understood.", severity: "error" };

function wordOf(value: Located): string | undefined {
  const said = plain(value);
  return typeof said === "object" ? (said === null ? "null" : undefined) : String(said).trim();
}

/** `50` for `50 steps`; below 1 a share of the run, which has no counterpart. */
function steps(path: string): ForeignRow {
  return (value) => {
    if (value.kind !== "number") return notUnderstood;
    return Number.isInteger(value.value) && value.value >= 1
      ? [change(path, `${value.value} ${value.value === 1 ? "step" : "steps"}`)]
      : {
          because: "is no whole number of steps; write a duration such as `50 steps`.",
          severity: "error",
        };
  };
}

/** `4` for every quarter of an epoch. */
function perEpoch(path: string): ForeignRow {
  return (value) => {
    if (value.kind !== "number" || !(value.value > 0)) return isOff(value) ? [] : notUnderstood;
    const share = Number((1 / value.value).toPrecision(4));
    return [change(path, share === 1 ? "1 epoch" : `${share} epochs`)];
  };
}

function strategy(path: string): ForeignRow {
  return (value) => {
    switch (wordOf(value)) {
      case "epoch":
        return [change(path, "1 epoch", true)];
      case "steps":
      case "best":
        return [];
      case "no":
      case "false":
        return [change(path, "end", true)];
      default:
        return notUnderstood;
    }
  };
}

const task = words("task", {
  CAUSAL_LM: "causal-lm",
  SEQ_CLS: "sequence-classification",
  causal_lm: "causal-lm",
  seq_cls: "sequence-classification",
});

/** Whether the prompt is trained on, too. */
const wholeText: ForeignRow = (value) => [
  change("data.loss_on", wordOf(value) === "true" ? "all" : "completion"),
];

/** `q_proj,v_proj` as LLaMA-Factory writes lists; `all` for every linear layer. */
const targets: ForeignRow = (value) => {
  if (value.kind !== "text") return [change("method.target_modules", value)];
  if (/^(all|all-linear)$/i.test(value.value))
    return [change("method.target_modules", "all-linear")];
  const names = value.value.split(",").map((name) => name.trim());
  return [change("method.target_modules", names.length > 1 ? names : value)];
};

const initWords: Readonly<Record<string, Json>> = {
  true: null,
  false: "random",
  gaussian: "gaussian",
  pissa: "pissa",
  olora: "olora",
  eva: "eva",
  corda: "corda",
  loftq: "loftq",
  lora_ga: "lora_ga",
  orthogonal: "orthogonal",
};

/** peft's `init_lora_weights`; `pissa_niter_16` carries its number of iterations. */
const init: ForeignRow = (value) => {
  const word = wordOf(value)?.toLowerCase();
  const niter = word === undefined ? null : /^pissa_niter_(\d+)$/.exec(word);
  if (niter !== null) return [change("method.init", { type: "pissa", niter: Number(niter[1]) })];
  return words("method.init", initWords)(value, new Map());
};

/** Beside `type: lora`, `use_dora` says more exactly which LoRA. */
const dora: Change = { ...change("method.type", "dora"), refines: ["lora"] };

const methodWords: ReadonlyMap<string, string> = new Map([
  ["qlora", "lora"],
  ["none", "full"],
]);

const method: ForeignRow = (value) => {
  const word = wordOf(value)?.toLowerCase();
  if (word === undefined || word === "null" || word === "")
    return [change("method.type", "full", true)];
  const quantized = word === "qlora" ? [change("quantization.type", "nf4", true)] : [];
  return [change("method.type", methodWords.get(word) ?? word), ...quantized];
};

/** transformers: the batch in memory; the step is that times the accumulation. */
const microBatch: ForeignRow = (value, others) => {
  const implied = others.has("gradient_accumulation_steps")
    ? []
    : [change("train.batch_size", value, true)];
  return [change("train.micro_batch_size", value), ...implied];
};

const accumulation: ForeignRow = (value, others) => {
  const micro = others.get("per_device_train_batch_size") ?? others.get("micro_batch_size");
  const size = micro?.kind === "number" ? micro.value : undefined;
  if (value.kind !== "number") return notUnderstood;
  return size === undefined
    ? [change("train.batch_size", `= ${value.value} * micro_batch_size`, true)]
    : [change("train.batch_size", value.value * size, true)];
};

const warmupRatio: ForeignRow = (value) => {
  if (value.kind !== "number") return notUnderstood;
  return value.value >= 0 && value.value < 1
    ? [change("train.warmup_steps", value)]
    : { because: "is no share below 1.", severity: "error" };
};

const validationShare: ForeignRow = (value) => {
  if (value.kind !== "number") return notUnderstood;
  if (value.value === 0) return [];
  return value.value < 1
    ? [change("data.eval", { from: "train", share: value.value }, true)]
    : {
        because:
          "counts examples; here it is a share, such as `eval: { from: train, share: 0.05 }`.",
        severity: "error",
      };
};

/** `eval_loss` for `eval.loss`. */
const bestMetric: ForeignRow = (value) => {
  const word = wordOf(value);
  if (word === undefined) return notUnderstood;
  const metric = word.replace(/^eval_/, "").replace("matthews_correlation", "matthews");
  return [change("eval.best.metric", `eval.${metric}`)];
};

/** axolotl's list of data sets, where it is one file. */
function dataFile(path: string): ForeignRow {
  return (value) => {
    const files =
      value.kind === "list"
        ? value.items.map((item) => plain(entryOf(item, "path")?.value ?? item))
        : [];
    const [file] = files;
    return files.length === 1 && typeof file === "string" && /\.(jsonl|csv|parquet|txt)$/.test(file)
      ? [change(path, file)]
      : {
          because: `is no single file; here \`${path}\` is one .jsonl, .csv, .parquet or .txt file.`,
          severity: "error",
        };
  };
}

const otherTask = refused(
  "has no counterpart: a run tunes with the cross-entropy of labels or tokens.",
);

/** Each foreign name with its meaning. Plain renamings within a section stand with their field, as `aliases`. */
export const foreignNames: ReadonlyMap<string, ForeignRow> = new Map<string, ForeignRow>([
  ...withoutCounterpart.flatMap((each) =>
    each.names.map((name): [string, ForeignRow] => [name, absent(each)]),
  ),
  ...Object.entries({
    // peft: LoraConfig and its TRL and LLaMA-Factory spellings
    lora_r: to("method.r"),
    lora_rank: to("method.r"),
    lora_alpha: to("method.alpha"),
    lora_dropout: to("method.dropout"),
    lora_target: targets,
    lora_target_modules: targets,
    lora_target_linear: flag(change("method.target_modules", "all-linear", true)),
    peft_type: method,
    task_type: task,
    lora_task_type: task,
    use_dora: flag(dora),
    peft_use_dora: flag(dora),
    use_rslora: to("method.use_rslora"),
    peft_use_rslora: to("method.use_rslora"),
    init_lora_weights: init,
    peft_init_lora_weights: init,
    // peft's own is a switch of another meaning: biases within the factors.
    lora_bias: (value) => {
      if (isOff(value)) return [];
      return wordOf(value) === "true"
        ? { because: "has no counterpart: the factors have no biases.", severity: "error" }
        : [change("method.bias", value)];
    },
    use_cpu: flag(change("run.device", "cpu")),
    no_cuda: flag(change("run.device", "cpu")),
    // LLaMA-Factory
    finetuning_type: method,
    pissa_init: flag(change("method.init.type", "pissa")),
    pissa_iter: (value, others) => {
      const init = others.get("pissa_init");
      const unused = init !== undefined && wordOf(init) === "false";
      return unused || value.kind !== "number" || value.value < 0
        ? []
        : [change("method.init.niter", value)];
    },
    quantization_bit: words("quantization.type", { "4": "nf4", "8": "int8", null: null }),
    quantization_type: words("quantization.type", { nf4: "nf4", fp4: "fp4" }),
    double_quantization: to("quantization.double_quant"),
    stage: (value) => (wordOf(value) === "sft" ? [] : otherTask(value, new Map())),
    val_size: validationShare,
    template: (value) =>
      value.kind === "text" && value.value.includes("{")
        ? [change("data.template", value)]
        : {
            because:
              "names an entry of a registry; here `data.template` is a text with columns in braces, or `data.chat_template: tokenizer`.",
            severity: "error",
          },
    // axolotl
    adapter: method,
    val_set_size: validationShare,
    train_on_inputs: wholeText,
    train_on_prompt: wholeText,
    // transformers and bitsandbytes: BitsAndBytesConfig
    load_in_4bit: flag(change("quantization.type", "nf4", true)),
    load_in_8bit: flag(change("quantization.type", "int8", true)),
    bnb_4bit_quant_type: to("quantization.type"),
    bnb_4bit_use_double_quant: to("quantization.double_quant"),
    use_bnb_nested_quant: to("quantization.double_quant"),
    // transformers: TrainingArguments
    per_device_train_batch_size: microBatch,
    gradient_accumulation_steps: accumulation,
    learning_rate_schedule: to("train.lr_scheduler_type"),
    warmup_ratio: warmupRatio,
    adam_beta1: (value, others) => betas(value, others.get("adam_beta2")),
    adam_beta2: (value, others) => betas(others.get("adam_beta1"), value),
    adam_epsilon: to("train.optimizer.eps"),
    weight_decay: to("train.optimizer.weight_decay"),
    datasets: dataFile("data.train"),
    test_datasets: dataFile("data.eval"),
    bf16: (value, others) =>
      wordOf(value) === "auto"
        ? []
        : flag(change("train.compute_dtype", "bfloat16"))(value, others),
    fp16: flag(change("train.compute_dtype", "float16")),
    eval_steps: steps("eval.every"),
    eval_strategy: strategy("eval.every"),
    evaluation_strategy: strategy("eval.every"),
    evals_per_epoch: perEpoch("eval.every"),
    saves_per_epoch: perEpoch("checkpoints.every"),
    save_steps: steps("checkpoints.every"),
    save_strategy: strategy("checkpoints.every"),
    metric_for_best_model: bestMetric,
    greater_is_better: words("eval.best.mode", { true: "max", false: "min" }),
    early_stopping_patience: to("eval.early_stop.patience"),
    // TRL
    dataset_text_field: to("data.columns.text"),
    completion_only_loss: flag(change("data.loss_on", "completion")),
    assistant_only_loss: flag(change("data.loss_on", "assistant")),
  } satisfies Readonly<Record<string, ForeignRow>>),
]);

/** One that is not said is Adam's usual one. */
function betas(first: Located | undefined, second: Located | undefined): readonly Change[] {
  const both = [numberOr(first, 0.9), numberOr(second, 0.999)];
  return [change("train.optimizer.betas", both, true)];
}

function numberOr(node: Located | undefined, otherwise: number): number {
  return node?.kind === "number" ? node.value : otherwise;
}
