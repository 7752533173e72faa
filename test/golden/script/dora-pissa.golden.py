"""Trains with dora; made from an experiment file of Spectune.

Needs torch, transformers 5, peft 0.21 and accelerate; bitsandbytes for 4 bits, pandas and pyarrow for .parquet.
What it does otherwise than the experiment:
- Random numbers are PyTorch's: the starts of factors, dropout and the order of examples differ.
- Measured losses are means over batches of each batch's mean, not over tokens.
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

MODEL = "./llama"
REVISION = None
TASK = "causal-lm"
METHOD = "dora"
TRAIN = "./train.jsonl"
EVAL = None
EVAL_SHARE = 0
TEST = None
COLUMNS = {"text": "text", "text_pair": None, "label": "label", "prompt": "prompt", "completion": "completion", "messages": "messages"}
MAX_LENGTH = 1024
TOO_LONG = "truncate"
METRICS = {"loss": {}, "perplexity": {}}
FORMAT = "auto"
TEMPLATE = None
CHAT_TEMPLATE = None
LOSS_ON = "auto"


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


def form_of(row):
    """The form of a row's example, told from its columns where the experiment leaves it open."""
    if FORMAT != "auto":
        return FORMAT
    if COLUMNS["messages"] in row:
        return "messages"
    return "prompt-completion" if COLUMNS["prompt"] in row and COLUMNS["completion"] in row else "text"


def with_end(text):
    end = tokenizer.eos_token or ""
    return text if text.endswith(end) else text + end


def conversation(row):
    """The text of a row's messages, and the spans that the assistant says."""
    messages = row[COLUMNS["messages"]]
    render = lambda part, opened=False: tokenizer.apply_chat_template(part, tokenize=False, add_generation_prompt=opened)
    spans = [
        (len(render(messages[:index], True)), len(render(messages[: index + 1])))
        for index, message in enumerate(messages)
        if message["role"] == "assistant"
    ]
    return render(messages), spans[-1:] if LOSS_ON == "completion" else spans


def as_messages(row):
    turns = [("user", row[COLUMNS["prompt"]]), ("assistant", row[COLUMNS["completion"]])]
    return {COLUMNS["messages"]: [{"role": role, "content": text} for role, text in turns]}


def prompt_of(row):
    return fill(TEMPLATE, row) if TEMPLATE is not None else str(row[COLUMNS["prompt"]])


def encode(row):
    """Ids of a row's example, and as labels those that have a loss; None where it is left out."""
    form = form_of(row)
    if form == "prompt-completion" and CHAT_TEMPLATE is not None:
        form, row = "messages", as_messages(row)
    if form == "messages":
        text, spans = conversation(row)
    elif form == "prompt-completion":
        prompt = prompt_of(row)
        text = with_end(prompt + str(row[COLUMNS["completion"]]))
        spans = [(len(prompt), len(text))]
    else:
        text = with_end(str(row[COLUMNS["text"]]))
        spans = None
    encoded = tokenizer(text, add_special_tokens=form != "messages", return_offsets_mapping=True)
    ids = encoded["input_ids"]
    whole = spans is None or LOSS_ON == "all"
    trained = [
        whole or any(end > first and begin < last for first, last in spans)
        for begin, end in encoded["offset_mapping"]
    ]
    if len(ids) > MAX_LENGTH and TOO_LONG == "error":
        raise SystemExit(f"an example has {len(ids)} tokens, more than {MAX_LENGTH}")
    if len(ids) > MAX_LENGTH and TOO_LONG == "drop":
        return None
    labels = [token if used else -100 for token, used in zip(ids, trained)]
    example = {"input_ids": ids[:MAX_LENGTH], "labels": labels[:MAX_LENGTH]}
    return example if any(label != -100 for label in example["labels"][1:]) else None


def collate(batch):
    longest = max(len(example["input_ids"]) for example in batch)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id or 0
    padded = lambda values, filler: values + [filler] * (longest - len(values))
    return {
        "input_ids": torch.tensor([padded(example["input_ids"], pad) for example in batch]),
        "attention_mask": torch.tensor([padded([1] * len(example["input_ids"]), 0) for example in batch]),
        "labels": torch.tensor([padded(example["labels"], -100) for example in batch]),
    }


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
train_set = [example for example in map(encode, train_rows) if example is not None]
eval_set = [example for example in map(encode, read_rows(EVAL)) if example is not None] if EVAL else []
if EVAL_SHARE > 0:
    order = random.Random(0).sample(range(len(train_set)), len(train_set))
    aside = set(order[: min(len(order) - 1, max(1, math.ceil(EVAL_SHARE * len(order))))])
    eval_set = [train_set[place] for place in sorted(aside)]
    train_set = [example for place, example in enumerate(train_set) if place not in aside]

model = AutoModelForCausalLM.from_pretrained(MODEL, revision=REVISION, dtype=torch.float32)
if model.config.pad_token_id is None:
    model.config.pad_token_id = tokenizer.pad_token_id
model = get_peft_model(
    model,
    LoraConfig(
        task_type="CAUSAL_LM",
        r=4,
        lora_alpha=16,
        use_dora=True,
        init_lora_weights="pissa_niter_16",
        lora_dropout=0,
        target_modules="all-linear",
        bias="none",
        fan_in_fan_out=model.config.model_type == "gpt2",
    ),
)
model.print_trainable_parameters()

arguments = TrainingArguments(
    output_dir="output",
    num_train_epochs=3,
    max_steps=4,
    per_device_train_batch_size=2,
    gradient_accumulation_steps=2,
    per_device_eval_batch_size=2,
    learning_rate=0.0002,
    lr_scheduler_type="linear",
    warmup_steps=0,
    max_grad_norm=1,
    optim="adamw_torch",
    adam_beta1=0.9,
    adam_beta2=0.999,
    adam_epsilon=1e-8,
    weight_decay=0,
    seed=0,
    eval_strategy="no",
    save_strategy="epoch",
    save_total_limit=3,
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
)
trainer.train()
trainer.save_model("adapter" if METHOD != "full" else "merged")
tokenizer.save_pretrained("adapter" if METHOD != "full" else "merged")
