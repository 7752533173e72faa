/** @file The experiment as a Python script for peft and transformers, with what it does otherwise said at its top. */
import type { Experiment } from "../../shared/experiment/fields/experiment-fields.ts";
import type { Notes } from "./script/arguments.ts";
import { loraArguments, quantizationArguments, trainingArguments } from "./script/arguments.ts";
import {
  causalPart,
  classifierPart,
  exactMatchPart,
  metricsPart,
  readingPart,
} from "./script/data-part.ts";
import { keywords, py } from "./script/python.ts";

/**
 * A whole script. It trains with transformers' Trainer, whose loss is the mean over a step's trained
 * tokens as it is here; TRL's trainers would make the tokens by rules of their own. Paths stay as the
 * experiment has them.
 */
export function pythonScript(experiment: Experiment): string {
  const notes: Notes = [...standingNotes(experiment)];
  const parts = [
    constants(experiment),
    readingPart,
    experiment.task === "causal-lm" ? causalPart : classifierPart,
    metricsPart,
    ...(exactMatchOf(experiment) ? [exactMatchPart] : []),
    mainPart(experiment, notes),
  ];
  return `${header(experiment, notes)}\n${parts.join("\n\n")}`;
}

function header({ method }: Experiment, notes: Notes): string {
  const listed = [...new Set(notes)].map((note) => `- ${note}`);
  return `"""Trains with ${method.map(({ type }) => type).join(" and ")}; made from an experiment file of Spectune.

Needs torch, transformers 5, peft 0.21 and accelerate; bitsandbytes for 4 bits, pandas and pyarrow for .parquet.
What it does otherwise than the experiment:
${listed.join("\n").replaceAll("\\", "\\\\").replaceAll('"""', "'''")}
"""

import csv
import json
import math
import random
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BitsAndBytesConfig,
    EarlyStoppingCallback,
    Trainer,
    TrainingArguments,
)
`;
}

/** What no argument expresses. */
function standingNotes(experiment: Experiment): readonly string[] {
  const { data, method, train, eval: measures, sweep, analyze } = experiment;
  const [first, ...others] = method;
  return [
    "Random numbers are PyTorch's: the starts of factors, dropout and the order of examples differ.",
    ...(experiment.task === "causal-lm"
      ? ["Measured losses are means over batches of each batch's mean, not over tokens."]
      : []),
    ...(typeof data.eval === "object" && data.eval !== null
      ? ["data.eval: other examples are set aside, though as many."]
      : []),
    ...(data.packing
      ? ["data.packing: rows are not packed, so that steps hold fewer tokens."]
      : []),
    ...(data.shuffle ? [] : ["data.shuffle: Trainer draws an order in any case."]),
    ...(others.length > 0
      ? [
          `method: only the first entry, ${first?.type ?? ""}, is expressed; ${others.length} more are left out.`,
        ]
      : []),
    ...(first && !["lora", "dora", "full"].includes(first.type)
      ? [`method: ${first.type} has no counterpart here; plain LoRA is taken.`]
      : []),
    ...(first?.allocation
      ? ["method.allocation is left out: every module has its fixed rank."]
      : []),
    ...(first?.sharing ? ["method.sharing is left out: no factors are shared."] : []),
    ...(train.active_layers ? ["train.active_layers is left out: all layers train always."] : []),
    ...(train.micro_batch_size === "auto"
      ? ["train.micro_batch_size: at most 8 examples are in memory at a time."]
      : []),
    ...(measures.forgetting ? ["eval.forgetting is left out."] : []),
    ...(sweep ? ["sweep: the script is one run; change its constants for the others."] : []),
    ...((analyze.spectra ?? analyze.intruders) ? ["analyze is left out."] : []),
    ...((measures.metrics ?? []).some(({ type }) => type === "exact_match")
      ? ["eval.metrics: exact_match is measured on data.test alone, after the last step."]
      : []),
    ...(data.test === null && measures.final.length > 0
      ? ["eval.final has no meaning without data.test."]
      : []),
  ];
}

function constants(experiment: Experiment): string {
  const { model, task, data, method, eval: measures } = experiment;
  const all = [...(measures.metrics ?? []), ...measures.final];
  const metrics = Object.fromEntries(all.map(({ type, config }) => [type, config]));
  const columns = { ...data.columns };
  const shared = { ...(data.eval !== null && typeof data.eval === "object" ? data.eval : {}) };
  const rows: readonly (readonly [string, unknown])[] = [
    ["MODEL", model.id],
    ["REVISION", model.revision],
    ["TASK", task],
    ["METHOD", method[0]?.type ?? "lora"],
    ["TRAIN", data.train],
    ["EVAL", typeof data.eval === "string" ? data.eval : null],
    ["EVAL_SHARE", shared.share ?? 0],
    ["TEST", data.test],
    ["COLUMNS", columns],
    ["MAX_LENGTH", data.max_length],
    ["TOO_LONG", data.too_long],
    ["METRICS", metrics],
    ...(task === "causal-lm"
      ? ([
          ["FORMAT", data.format],
          ["TEMPLATE", data.template],
          ["CHAT_TEMPLATE", data.chat_template],
          ["LOSS_ON", data.loss_on],
        ] as const)
      : ([
          ["LABELS", data.labels],
          ["PROBLEM", data.problem_type],
        ] as const)),
  ];
  return rows.map(([name, value]) => `${name} = ${py(value)}\n`).join("");
}

function mainPart(experiment: Experiment, notes: Notes): string {
  const { task, train, eval: measures, data, run } = experiment;
  const causal = task === "causal-lm";
  const folder = causal ? "AutoModelForCausalLM" : "AutoModelForSequenceClassification";
  const lines = [
    `torch.manual_seed(${train.seed})`,
    "tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)",
    ...(data.chat_template !== null && data.chat_template !== "tokenizer"
      ? ["tokenizer.chat_template = CHAT_TEMPLATE"]
      : []),
    "if tokenizer.pad_token is None:",
    "    tokenizer.pad_token = tokenizer.eos_token",
    "train_rows = read_rows(TRAIN)",
    ...(causal
      ? []
      : [
          "NAMES = label_names(train_rows)",
          "labels = {} if NAMES is None else {",
          '    "id2label": dict(enumerate(NAMES)),',
          '    "label2id": {name: place for place, name in enumerate(NAMES)},',
          "}",
        ]),
    "train_set = [example for example in map(encode, train_rows) if example is not None]",
    "eval_set = [example for example in map(encode, read_rows(EVAL)) if example is not None] if EVAL else []",
    "if EVAL_SHARE > 0:",
    `    order = random.Random(${typeof data.eval === "object" && data.eval !== null ? data.eval.seed : 0}).sample(range(len(train_set)), len(train_set))`,
    "    aside = set(order[: min(len(order) - 1, max(1, math.ceil(EVAL_SHARE * len(order))))])",
    "    eval_set = [train_set[place] for place in sorted(aside)]",
    "    train_set = [example for place, example in enumerate(train_set) if place not in aside]",
    "",
    ...modelLines(experiment, folder, notes),
    "",
    "arguments = TrainingArguments(",
    keywords(trainingArguments(experiment, notes), "    "),
    // A run's folder has a folder of that name, which Python would take for an empty package.
    ...(run.report_to.includes("tensorboard")
      ? [
          '    report_to="tensorboard" if getattr(find_spec("tensorboard"), "origin", None) else "none",',
        ]
      : ['    report_to="none",']),
    ")",
    "trainer = Trainer(",
    "    model=model,",
    "    args=arguments,",
    "    train_dataset=train_set,",
    "    eval_dataset=eval_set or None,",
    "    data_collator=collate,",
    "    compute_metrics=compute_metrics,",
    "    preprocess_logits_for_metrics=predictions,",
    ...(measures.early_stop
      ? [
          `    callbacks=[EarlyStoppingCallback(${measures.early_stop.patience}, ${measures.early_stop.min_delta})],`,
        ]
      : []),
    ...sgdLines(experiment),
    ")",
    "trainer.train()",
    ...(data.eval === null
      ? []
      : [
          "result = trainer.evaluate()",
          'print(json.dumps({**result, "eval_perplexity": math.exp(min(700, result["eval_loss"]))}))',
        ]),
    'trainer.save_model("adapter" if METHOD != "full" else "merged")',
    'tokenizer.save_pretrained("adapter" if METHOD != "full" else "merged")',
    ...testLines(experiment),
    ...(experiment.export.includes("merged")
      ? [
          'if METHOD != "full":',
          '    model.merge_and_unload().save_pretrained("merged")',
          '    tokenizer.save_pretrained("merged")',
        ]
      : []),
  ];
  if (run.device !== "auto" && run.device !== "cpu")
    notes.push(`run.device: PyTorch chooses the device itself, not ${run.device}.`);
  return `${lines.join("\n")}\n`;
}

/** Loads the base and puts the method on it. */
function modelLines(experiment: Experiment, folder: string, notes: Notes): readonly string[] {
  const { quantization, method, task, train } = experiment;
  const [choice] = method;
  const lines: string[] = [];
  if (quantization) {
    lines.push(
      "quantization = BitsAndBytesConfig(",
      keywords(quantizationArguments(quantization, notes), "    "),
      ")",
    );
  }
  const extra = `${quantization ? ", quantization_config=quantization" : ""}${task === "causal-lm" ? "" : ", **labels"}`;
  lines.push(
    `model = ${folder}.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32${extra})`,
  );
  if (task !== "causal-lm")
    lines.push(
      "if NAMES is None:",
      `    model = ${folder}.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32, num_labels=1, problem_type="regression")`,
    );
  lines.push(
    "if model.config.pad_token_id is None:",
    "    model.config.pad_token_id = tokenizer.pad_token_id",
  );
  if (quantization)
    lines.push(
      `model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=${py(train.gradient_checkpointing)})`,
    );
  if (choice === undefined || choice.type === "full") return lines;
  if (choice.from !== null)
    return [
      ...lines,
      `model = PeftModel.from_pretrained(model, ${py(choice.from)}, is_trainable=True)`,
    ];
  return [
    ...lines,
    "model = get_peft_model(",
    "    model,",
    "    LoraConfig(",
    keywords(loraArguments(choice, task, notes), "        "),
    '        fan_in_fan_out=model.config.model_type == "gpt2",',
    "    ),",
    ")",
    "model.print_trainable_parameters()",
  ];
}

function sgdLines({ train }: Experiment): readonly string[] {
  const { type, config } = train.optimizer;
  if (type !== "sgd") return [];
  const settings = { lr: train.learning_rate, momentum: config["momentum"] };
  return [`    optimizer_cls_and_kwargs=(torch.optim.SGD, ${py(settings)}),`];
}

/** The test data are read once, after the last step. */
function testLines(experiment: Experiment): readonly string[] {
  if (experiment.data.test === null) return [];
  const config = exactMatchOf(experiment);
  return [
    "test_set = [example for example in map(encode, read_rows(TEST)) if example is not None]",
    'result = trainer.evaluate(test_set, metric_key_prefix="test")',
    ...(config
      ? ['result["test_exact_match"] = exact_match(test_set, METRICS["exact_match"])']
      : []),
    "print(json.dumps(result))",
  ];
}

/** Exact match is measured where it is asked for at all, once, on the test data. */
function exactMatchOf({ eval: { metrics, final }, data }: Experiment): boolean {
  const asked = [...(metrics ?? []), ...final].some(({ type }) => type === "exact_match");
  return asked && data.test !== null;
}
