"""Trains with lora; made from an experiment file of Spectune.

Needs torch, transformers 5, peft 0.21 and accelerate; bitsandbytes for 4 bits, pandas and pyarrow for .parquet.
What it does otherwise than the experiment:
- Random numbers are PyTorch's: the starts of factors, dropout and the order of examples differ.
- data.eval: other examples are set aside, though as many.
- train.micro_batch_size: at most 8 examples are in memory at a time.
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

MODEL = "./bert"
REVISION = None
TASK = "sequence-classification"
METHOD = "lora"
TRAIN = "./labelled.csv"
EVAL = None
EVAL_SHARE = 0.25
TEST = "./labelled.csv"
COLUMNS = {"text": "text", "text_pair": None, "label": "label", "prompt": "prompt", "completion": "completion", "messages": "messages"}
MAX_LENGTH = 16
TOO_LONG = "truncate"
METRICS = {"loss": {}, "accuracy": {}, "f1": {"average": "macro"}, "matthews": {}}
LABELS = None
PROBLEM = "auto"


def read_rows(path):
    """Rows of a .jsonl, .csv, .parquet or .txt file; a line of text is a row."""
    kind = Path(path).suffix
    if kind == ".parquet":
        import pandas

        return pandas.read_parquet(path).to_dict("records")
    with open(path, encoding="utf-8-sig", newline="") as file:
        if kind == ".csv":
            return list(csv.DictReader(file))
        lines = [line.rstrip("\r\n") for line in file]
    lines = [line for line in lines if line.strip()]
    return [json.loads(line) if kind == ".jsonl" else {"text": line} for line in lines]


def fill(template, row):
    """{name} is the column that plays the role, or the column of that name; {{ and }} are braces."""
    def part(match):
        token = match.group()
        return token[0] if token in ("{{", "}}") else str(row[COLUMNS.get(token[1:-1].strip()) or token[1:-1].strip()])

    return re.sub(r"\{\{|\}\}|\{[^{}]*\}", part, template)


def label_names(rows):
    """The labels in the order of their ids; None where they are numbers to predict."""
    if LABELS is not None:
        return LABELS
    if PROBLEM == "regression":
        return None
    names = {str(row[COLUMNS["label"]]) for row in rows}
    number = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
    if PROBLEM == "auto" and all(number.fullmatch(name) for name in names):
        if any(not float(name).is_integer() for name in names):
            return None
    if all(re.fullmatch(r"0|[1-9]\d{0,4}", name) for name in names) and max(map(int, names)) < 4 * len(names):
        return [str(label) for label in range(max(map(int, names)) + 1)]
    return sorted(names)


def encode(row):
    texts = [str(row[COLUMNS[name]]) for name in ("text", "text_pair") if COLUMNS[name] is not None]
    encoded = tokenizer(*texts)
    if len(encoded["input_ids"]) > MAX_LENGTH:
        if TOO_LONG == "error":
            raise SystemExit(f"an example has {len(encoded['input_ids'])} tokens, more than {MAX_LENGTH}")
        if TOO_LONG == "drop":
            return None
        encoded = tokenizer(*texts, truncation=True, max_length=MAX_LENGTH)
    label = row[COLUMNS["label"]]
    return {**encoded, "labels": float(label) if NAMES is None else NAMES.index(str(label))}


def collate(batch):
    labels = torch.tensor([example["labels"] for example in batch])
    return {**tokenizer.pad([{k: v for k, v in example.items() if k != "labels"} for example in batch], return_tensors="pt"), "labels": labels}


def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


def ranks(values):
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]


def f1_of(truth, guess, average):
    if average == "micro":
        return float((truth == guess).mean())
    labels = [1] if average == "binary" else sorted(set(truth.tolist()) | set(guess.tolist()))
    scores = []
    for label in labels:
        hits = int(((truth == label) & (guess == label)).sum())
        scores.append(2 * hits / max(1, int((truth == label).sum()) + int((guess == label).sum())))
    return float(np.mean(scores))


def compute_metrics(prediction):
    guess, truth = prediction.predictions, prediction.label_ids
    if TASK == "causal-lm":
        guess, truth = guess[:, :-1], truth[:, 1:]
        guess, truth = guess[truth != -100], truth[truth != -100]
    values = {
        "accuracy": lambda _: float((guess == truth).mean()),
        "f1": lambda config: f1_of(truth, guess, config["average"]),
        "matthews": lambda _: correlation(truth, guess),
        "pearson": lambda _: correlation(truth, guess),
        "spearman": lambda _: correlation(ranks(truth), ranks(guess)),
    }
    return {name: values[name](config) for name, config in METRICS.items() if name in values}


def predictions(logits, labels):
    """What is kept of the logits: the likeliest class or token, or the number."""
    logits = logits[0] if isinstance(logits, tuple) else logits
    return logits.squeeze(-1) if TASK != "causal-lm" and NAMES is None else logits.argmax(-1)


torch.manual_seed(0)
tokenizer = AutoTokenizer.from_pretrained(MODEL, revision=REVISION)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
train_rows = read_rows(TRAIN)
NAMES = label_names(train_rows)
labels = {} if NAMES is None else {
    "id2label": dict(enumerate(NAMES)),
    "label2id": {name: place for place, name in enumerate(NAMES)},
}
train_set = [example for example in map(encode, train_rows) if example is not None]
eval_set = [example for example in map(encode, read_rows(EVAL)) if example is not None] if EVAL else []
if EVAL_SHARE > 0:
    order = random.Random(3).sample(range(len(train_set)), len(train_set))
    aside = set(order[: min(len(order) - 1, max(1, math.ceil(EVAL_SHARE * len(order))))])
    eval_set = [train_set[place] for place in sorted(aside)]
    train_set = [example for place, example in enumerate(train_set) if place not in aside]

model = AutoModelForSequenceClassification.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32, **labels)
if NAMES is None:
    model = AutoModelForSequenceClassification.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32, num_labels=1, problem_type="regression")
if model.config.pad_token_id is None:
    model.config.pad_token_id = tokenizer.pad_token_id
model = get_peft_model(
    model,
    LoraConfig(
        task_type="SEQ_CLS",
        r=2,
        lora_alpha=4,
        lora_dropout=0,
        target_modules=["query", "value"],
        bias="none",
        fan_in_fan_out=model.config.model_type == "gpt2",
    ),
)
model.print_trainable_parameters()

arguments = TrainingArguments(
    output_dir="output",
    num_train_epochs=1,
    per_device_train_batch_size=4,
    gradient_accumulation_steps=1,
    per_device_eval_batch_size=4,
    learning_rate=0.01,
    lr_scheduler_type="linear",
    warmup_steps=0,
    max_grad_norm=1,
    weight_decay=0,
    seed=0,
    eval_strategy="epoch",
    eval_on_start=True,
    save_strategy="epoch",
    save_total_limit=3,
    load_best_model_at_end=True,
    metric_for_best_model="eval_loss",
    greater_is_better=False,
    logging_steps=1,
    remove_unused_columns=False,
    report_to="tensorboard" if getattr(find_spec("tensorboard"), "origin", None) else "none",
)
trainer = Trainer(
    model=model,
    args=arguments,
    train_dataset=train_set,
    eval_dataset=eval_set or None,
    data_collator=collate,
    compute_metrics=compute_metrics,
    preprocess_logits_for_metrics=predictions,
    callbacks=[EarlyStoppingCallback(2, 0)],
    optimizer_cls_and_kwargs=(torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
)
trainer.train()
result = trainer.evaluate()
print(json.dumps({**result, "eval_perplexity": math.exp(min(700, result["eval_loss"]))}))
trainer.save_model("adapter" if METHOD != "full" else "merged")
tokenizer.save_pretrained("adapter" if METHOD != "full" else "merged")
test_set = [example for example in map(encode, read_rows(TEST)) if example is not None]
result = trainer.evaluate(test_set, metric_key_prefix="test")
print(json.dumps(result))
