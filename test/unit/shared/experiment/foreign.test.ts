/** @file Every name and value of other projects that is understood: what it becomes, and that it is said. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { withoutCounterpart } from "../../../../src/shared/experiment/foreign-without-counterpart.ts";
import { foreignValues } from "../../../../src/shared/experiment/foreign-values.ts";
import { foreignNames } from "../../../../src/shared/experiment/foreign.ts";
import { plainExperiment } from "../../../../src/shared/experiment/serialise.ts";
import { documentField } from "../../../../src/shared/experiment/fields/experiment-fields.ts";
import { namedFields } from "../../../../src/shared/experiment/lookup.ts";
import type { Field } from "../../../../src/shared/schema.ts";
import { complete, read, told } from "./read.ts";
import { smallCatalog } from "./small-catalog.ts";

type Line = readonly [text: string, path: string, value: unknown];

/** A line of another project's file, at the root unless indented under a section, and what it says here. */
const lines: readonly Line[] = [
  ["lora_r: 4", "method.r", 4],
  ["lora_rank: 4", "method.r", 4],
  ["method: { type: lora, rank: 4 }", "method.r", 4],
  ["method: { type: dora, rank: 4 }", "method.r", 4],
  ["lora_alpha: 32", "method.alpha", 32],
  ["method: { type: lora, lora_alpha: 32 }", "method.alpha", 32],
  ["lora_dropout: 0.1", "method.dropout", 0.1],
  ["lora_target: all", "method.target_modules", "all-linear"],
  ["lora_target: q_proj,v_proj", "method.target_modules", ["q_proj", "v_proj"]],
  ["lora_target_modules: [q_proj]", "method.target_modules", ["q_proj"]],
  ["lora_target_linear: true", "method.target_modules", "all-linear"],
  ["method: { type: lora, target_modules: all }", "method.target_modules", "all-linear"],
  ["peft_type: LORA", "method.type", "lora"],
  ["adapter: qlora", "quantization.type", "nf4"],
  ["adapter: qlora", "method.type", "lora"],
  ["finetuning_type: full", "method.type", "full"],
  ["finetuning_type: lora", "method.type", "lora"],
  ["task_type: SEQ_CLS", "task", "sequence-classification"],
  ["task_type: CAUSAL_LM", "task", "causal-lm"],
  ["use_dora: true", "method.type", "dora"],
  ["use_dora: false", "method.type", "lora"],
  ["method: { type: lora, use_dora: true, r: 4 }", "method.type", "dora"],
  ["method: { type: lora, use_dora: true, r: 4 }", "method.r", 4],
  ["method: { type: lora, peft_use_dora: true }", "method.type", "dora"],
  ["adapter: lora\nuse_dora: true", "method.type", "dora"],
  ["peft_use_dora: true", "method.type", "dora"],
  ["use_rslora: true", "method.use_rslora", true],
  ["peft_use_rslora: true", "method.use_rslora", true],
  ["init_lora_weights: true", "method.init.type", "default"],
  ["init_lora_weights: gaussian", "method.init.type", "gaussian"],
  ["init_lora_weights: pissa_niter_16", "method.init.niter", 16],
  ["peft_init_lora_weights: eva", "method.init.type", "eva"],
  ["pissa_init: true", "method.init.type", "pissa"],
  ["pissa_init: true\npissa_iter: 4", "method.init.niter", 4],
  ["pissa_init: true\npissa_iter: -1", "method.init.niter", 0],
  ["lora_modules_to_save: [head]", "method.modules_to_save", ["head"]],
  ["additional_target: head", "method.modules_to_save", ["head"]],
  ["lora_layers_to_transform: [1, 2]", "method.layers_to_transform", [1, 2]],
  ["lora_bias: all", "method.bias", "all"],
  ["lora_bias: false", "method.bias", "none"],
  ["method: { type: lora, bias: false }", "method.bias", "none"],
  ["adapter_name_or_path: ./a", "method.from", "./a"],
  ["base_model: x/y", "model.id", "x/y"],
  ["model_name_or_path: x/y", "model.id", "x/y"],
  ["base_model_name_or_path: x/y", "model.id", "x/y"],
  ["model: x/y\nmodel_revision: abc", "model.revision", "abc"],
  ["load_in_4bit: true", "quantization.type", "nf4"],
  ["load_in_4bit: false", "quantization", null],
  ["load_in_8bit: true", "quantization.type", "int8"],
  ["load_in_4bit: true\nbnb_4bit_quant_type: nf4", "quantization.type", "nf4"],
  [
    "quantization: { load_in_4bit: true, bnb_4bit_use_double_quant: false }",
    "quantization.double_quant",
    false,
  ],
  ["load_in_4bit: true\nbnb_4bit_compute_dtype: bfloat16", "train.compute_dtype", "bfloat16"],
  ["quantization_bit: 4\ndouble_quantization: false", "quantization.double_quant", false],
  // What is implied yields to what is said, whichever comes first.
  ["load_in_8bit: true\nbnb_4bit_quant_type: nf4", "quantization.type", "nf4"],
  ["quantization_bit: 8", "quantization.type", "int8"],
  ["quantization_bit: 4\nquantization_type: nf4", "quantization.type", "nf4"],
  ["quantization: nf4\nllm_int8_skip_modules: [a]", "quantization.skip_modules", ["a"]],
  ["quantization_config: nf4", "quantization.type", "nf4"],
  ["cutoff_len: 99", "data.max_length", 99],
  ["sequence_len: 99", "data.max_length", 99],
  ["max_seq_length: 99", "data.max_length", 99],
  ["max_seq_len: 99", "data.max_length", 99],
  ["model_max_length: 99", "data.max_length", 99],
  ["sample_packing: true", "data.packing", true],
  ["val_set_size: 0.1", "data.eval.share", 0.1],
  ["val_set_size: 0", "data.eval", null],
  ["val_size: 0.1", "data.eval.from", "train"],
  ["data: { train_file: ./t.csv }", "data.train", "./t.csv"],
  ["data: { train: ./t.csv, validation_file: ./v.csv }", "data.eval", "./v.csv"],
  ["datasets: [{ path: ./t.jsonl, type: alpaca }]\ndata: {}", "data.train", "./t.jsonl"],
  ["test_datasets: [{ path: ./v.jsonl }]", "data.eval", "./v.jsonl"],
  ["chat_template: tokenizer_default", "data.chat_template", "tokenizer"],
  ["train_on_inputs: false", "data.loss_on", "completion"],
  ["train_on_inputs: true", "data.loss_on", "all"],
  ["train_on_prompt: true", "data.loss_on", "all"],
  ["lora_task_type: CAUSAL_LM", "task", "causal-lm"],
  ["load_in_4bit: true\nuse_bnb_nested_quant: true", "quantization.double_quant", true],
  ["completion_only_loss: true", "data.loss_on", "completion"],
  ["assistant_only_loss: true", "data.loss_on", "assistant"],
  ["dataset_text_field: body", "data.columns.text", "body"],
  ["num_epochs: 2", "train.num_train_epochs", 2],
  ["epochs: 2", "train.num_train_epochs", 2],
  ["num_train_epochs: 2", "train.num_train_epochs", 2],
  ["train: { max_steps: -1 }", "train.max_steps", null],
  ["per_device_train_batch_size: 4", "train.micro_batch_size", 4],
  ["per_device_train_batch_size: 4", "train.batch_size", 4],
  ["per_device_train_batch_size: 4\ngradient_accumulation_steps: 8", "train.batch_size", 32],
  ["train: { micro_batch_size: 2, gradient_accumulation_steps: 8 }", "train.batch_size", 16],
  ["micro_batch_size: 2\ngradient_accumulation_steps: 8", "train.batch_size", 16],
  ["train_batch_size: 24", "train.batch_size", 24],
  ["lr: 1.0e-3", "train.learning_rate", 1e-3],
  ["learning_rate: 1.0e-3", "train.learning_rate", 1e-3],
  ["lr_scheduler: cosine", "train.lr_scheduler_type.type", "cosine"],
  [
    "train: { lr_scheduler_type: constant_with_warmup }",
    "train.lr_scheduler_type.type",
    "constant",
  ],
  ["learning_rate_schedule: cosine", "train.lr_scheduler_type.type", "cosine"],
  ["warmup_ratio: 0.1", "train.warmup_steps", 0.1],
  ["optim: adamw_torch", "train.optimizer.type", "adamw"],
  ["optim: adamw_torch_fused", "train.optimizer.type", "adamw"],
  ["optim: paged_adamw_32bit", "train.optimizer.type", "adamw"],
  ["optim: sgd", "train.optimizer.type", "sgd"],
  ["weight_decay: 0.1", "train.optimizer.weight_decay", 0.1],
  ["optimizer: sgd\nweight_decay: 0.1", "train.optimizer.type", "sgd"],
  ["adam_beta1: 0.8\nadam_beta2: 0.95", "train.optimizer.betas", [0.8, 0.95]],
  ["adam_epsilon: 1.0e-6", "train.optimizer.eps", 1e-6],
  ["gradient_clipping: 0.5", "train.max_grad_norm", 0.5],
  ["bf16: true", "train.compute_dtype", "bfloat16"],
  ["bf16: auto", "train.compute_dtype", "auto"],
  ["fp16: true", "train.compute_dtype", "float16"],
  ["fp16: false", "train.compute_dtype", "auto"],
  ["torch_dtype: torch.float16", "train.compute_dtype", "float16"],
  ["train: { compute_dtype: bf16 }", "train.compute_dtype", "bfloat16"],
  ["data_seed: 3", "train.seed", 3],
  ["random_seed: 3", "train.seed", 3],
  ["eval_steps: 50", "eval.every", "50 steps"],
  ["eval_strategy: epoch", "eval.every", "1 epoch"],
  ["evaluation_strategy: no", "eval.every", "end"],
  ["eval_strategy: steps\neval_steps: 1", "eval.every", "1 step"],
  ["per_device_eval_batch_size: 4", "eval.batch_size", 4],
  ["metric_for_best_model: eval_loss", "eval.best.metric", "eval.loss"],
  ["metric_for_best_model: loss\ngreater_is_better: false", "eval.best.mode", "min"],
  ["early_stopping_patience: 5\nval_size: 0.1", "eval.early_stop.patience", 5],
  ["evals_per_epoch: 4", "eval.every", "0.25 epochs"],
  ["saves_per_epoch: 1", "checkpoints.every", "1 epoch"],
  ["saves_per_epoch: 0", "checkpoints.every", "1 epoch"],
  ["save_steps: 50", "checkpoints.every", "50 steps"],
  ["save_strategy: epoch", "checkpoints.every", "1 epoch"],
  ["save_total_limit: 2", "checkpoints.keep", 2],
  ["run: { report_to: none }", "run.report_to", []],
  ["use_cpu: true", "run.device", "cpu"],
  ["no_cuda: true", "run.device", "cpu"],
  ["report_to: all", "run.report_to", ["tensorboard"]],
  ["stage: sft", "task", "causal-lm"],
  ["template: '{prompt}:'", "data.template", "{prompt}:"],
];

/** What has no counterpart: a warning where nothing is lost, an error where something is. */
const without: readonly (readonly [text: string, severity: "warning" | "error"])[] = [
  ["stage: dpo", "error"],
  ["datasets: [{ path: a/b }]", "error"],
  ["save_steps: 0.1", "error"],
  ["warmup_ratio: 1.5", "error"],
  ["val_set_size: 100", "error"],
  ["task_type: TOKEN_CLS", "error"],
  ["init_lora_weights: nonsense", "error"],
  ["template: llama3", "error"],
  ["lora_bias: true", "error"],
  ["evals_per_epoch: often", "error"],
  ...withoutCounterpart.flatMap(({ names, changesRun }) =>
    names.map((name) => [`${name}: 1`, changesRun ? "error" : "warning"] as const),
  ),
];

/** Names of other projects that the small catalog lacks, though some are near to names that it has. */
const rows: readonly (readonly [text: string, says: RegExp])[] = [
  ["method: oft", /^Known: `lora`, `dora` and `full`\.$/],
  ["method: { type: lora, init: olora }", /^Leave `init` out[^]*Known: /],
  ["method: { type: lora, init_lora_weights: loftq }", /^Leave `init` out/],
  ["method: { type: lora, allocation: adalora }", /leave `allocation` out/],
  ["method: { type: lora, sharing: vera }", /leave `sharing` out/],
  ["train: { active_layers: badam }", /leave `active_layers` out/],
  ["quantization: int4", /^Known: /],
  ["quantization: { load_in_4bit: true, bnb_4bit_quant_type: fp4 }", /^Known: /],
  ["train: { optimizer: adamw_bnb_8bit }", /^`adamw` is the same rule/],
  ["optim: adafactor", /^Known: /],
  ["lr_scheduler_type: cosine_with_restarts", /^Known: /],
];

function valueAt(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === "object" && inner !== null
          ? Object.entries(inner).find(([name]) => name === key)?.[1]
          : undefined,
      value,
    );
}

function nameIn(text: string): string {
  return text.split("\n")[0]?.split(":")[0] ?? "";
}

/** Whether the test's line sets a method or model itself, so that the file around it must not. */
function file(text: string): string {
  const own = [
    /^(adapter|finetuning_type|peft_type|use_dora|peft_use_dora):/m.test(text) ? "method" : "",
    /^(base_model\w*|model_name_or_path):/m.test(text) ? "model" : "",
  ];
  const lora = /^(use_dora: false)/m.test(text) ? "\nmethod: lora" : "";
  return complete(text + lora)
    .split("\n")
    .filter((line) => !own.some((key) => key !== "" && lora === "" && line.startsWith(`${key}:`)))
    .join("\n");
}

describe("foreign names", () => {
  for (const [text, path, value] of lines)
    it(`${text.replaceAll("\n", ", ")} → ${path}`, () => {
      const { experiment, findings } = read(file(text));
      assert.deepEqual(told(findings.filter(({ severity }) => severity === "error")), []);
      assert.ok(experiment !== undefined);
      assert.deepEqual(valueAt(plainExperiment(experiment, smallCatalog), path), value);
      // It is understood, and said; all but what is a field of ours in its own place.
      const said = findings.filter(({ code }) => code === "foreign-name");
      assert.notEqual(said.length, 0);
      for (const { fix } of said) assert.notEqual(fix, undefined);
    });

  for (const [text, severity] of without)
    it(`${text} has no counterpart`, () => {
      const { findings } = read(complete(text));
      const found = findings.find(({ code }) => code === "foreign-without-counterpart");
      assert.equal(found?.severity, severity);
      assert.ok(found.message.includes(nameIn(text)));
    });

  it("are no names that every object has", () => {
    const said = (text: string) => told(read(complete(text)).findings);
    assert.deepEqual(said("train: { compute_dtype: toString }"), [
      "not-one-of train.compute_dtype",
    ]);
    const named = read("version: 1\nmodel: m\ndata: { train: a.txt }\nadapter: constructor\n");
    assert.deepEqual(told(named.findings), ["foreign-name adapter", "unknown-variant method.type"]);
  });

  it("are all tried above", () => {
    const texts = [...lines, ...without].map(([text]) => text).join("\n");
    const aliases = aliasesOf(documentField(smallCatalog));
    for (const name of [...foreignNames.keys()])
      assert.match(texts, new RegExp(`\\b${name}:`), `${name} is not tried`);
    for (const path of foreignValues.keys())
      assert.ok(
        lines.some(([, tried]) => tried === path),
        `${path} is not tried`,
      );
    assert.ok(aliases.length > 40);
  });

  it("each field's aliases are read as the field, in its own section", () => {
    for (const [section, key, alias] of aliasesOf(documentField(smallCatalog))) {
      const { findings } = read(`${section}: { ${alias}: 1 }\n`);
      const renamed = findings.filter(({ code }) => code === "foreign-name");
      assert.ok(
        renamed.some(({ message }) => message.includes(`\`${alias}\``) && message.includes(key)),
        `${section}.${alias}`,
      );
    }
  });

  it("of what is switched off anyway are no errors", () => {
    const names = withoutCounterpart
      .filter((each) => each.changesRun)
      .flatMap((each) => each.names);
    for (const name of names)
      for (const off of ["null", "false", "[]", "{}", "0"]) {
        const { findings } = read(complete(`${name}: ${off}`));
        assert.deepEqual(told(findings), [`foreign-name ${name}`], off);
      }
  });

  it("of rows that the catalog lacks are not taken for others", () => {
    for (const [text, says] of rows) {
      const { findings } = read(complete(text));
      const found = findings.find(({ code }) => code === "unknown-variant");
      assert.match(found?.message ?? "", /not offered here/, text);
      assert.match(found?.remedy ?? "", says, text);
      const near = /8bit/.test(text) ? "Replace with `adamw`" : undefined;
      assert.equal(found?.fix?.title, near, text);
    }
  });

  it("yield to what the file says in our own words", () => {
    const { experiment, findings } = read(
      complete("method: { type: lora, r: 2, lora_r: 4 }\nlora_rank: 8"),
    );
    assert.equal(experiment?.method[0]?.config["r"], 2);
    assert.equal(told(findings).filter((line) => line === "said-twice method.r").length, 2);
  });
});

/** Section, field and alias of each field two levels down. */
function aliasesOf(root: Field<unknown>): readonly (readonly [string, string, string])[] {
  const { shape } = root;
  if (shape.kind !== "object") return [];
  return namedFields(shape.fields).flatMap(({ key: section, field }) => {
    const inner = field.shape.kind === "object" ? namedFields(field.shape.fields) : [];
    return inner.flatMap(({ key, field: { aliases = [] } }) =>
      aliases.map((alias) => [section, key, alias] as const),
    );
  });
}
