"""What control.py trains on: the sample's base and its data, with the loss of the answers."""

import json
import math
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

SAMPLE = Path(__file__).resolve().parents[3] / "media" / "sample"
EXAMPLES, BATCH = 128, 8
TOKENIZER = Tokenizer.from_file(str(SAMPLE / "base" / "tokenizer.json"))
END = 0


def rows(name: str) -> list:
    lines = (SAMPLE / "data" / name).read_text().splitlines()
    return [json.loads(line) for line in lines]


def encoded(row: dict) -> tuple:
    """Ids with the end, and how many of them are the prompt's."""
    found = TOKENIZER.encode(row["prompt"] + row["completion"], add_special_tokens=False)
    start = sum(1 for _, end in found.offsets if end <= len(row["prompt"]))
    return [*found.ids, END], start


def padded(examples: list) -> dict:
    width = max(len(ids) for ids, _ in examples)
    ids = torch.full((len(examples), width), END)
    mask = torch.zeros(len(examples), width, dtype=torch.long)
    labels = torch.full((len(examples), width), -100)
    for k, (own, start) in enumerate(examples):
        ids[k, : len(own)] = torch.tensor(own)
        mask[k, : len(own)] = 1
        labels[k, start : len(own)] = torch.tensor(own[start:])
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def loss_of(model, batch: dict) -> tuple:
    """Σ losses and their number."""
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    # A prompt's own places come first.
    logits = logits[:, logits.shape[1] - batch["labels"].shape[1] :]
    labels = batch["labels"][:, 1:].flatten()
    total = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels, ignore_index=-100, reduction="sum")
    return total, (labels != -100).sum()


def base():
    return AutoModelForCausalLM.from_pretrained(SAMPLE / "base", dtype=torch.float32, attn_implementation="sdpa")


def trained(model) -> list:
    return [p for p in model.parameters() if p.requires_grad]


def adamw(model, lr):
    return torch.optim.AdamW(trained(model), lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0)


def factor(t: int, steps: int) -> float:
    """transformers' linear schedule with a warm-up of a twentieth."""
    warmup = math.ceil(0.05 * steps)
    return t / max(1, warmup) if t < warmup else (steps - t) / max(1, steps - warmup)
