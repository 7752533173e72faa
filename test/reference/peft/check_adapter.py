"""Loads an adapter folder with the real peft and compares its logits with those of another engine.

    python check_adapter.py ADAPTER_DIR BASE_DIR INPUT_JSON

INPUT_JSON: {"inputIds": [[…]], "attentionMask"?: [[…]], "tokenTypeIds"?: [[…]], "logits": …}; rows of one width,
padded on the right. Logits are [sequence][token][vocabulary], where a row may end at its padding, or
[sequence][label] for a classifier.

Prints one line of JSON and ends with 0 where everything holds:
    relativeError   max |theirs - ours| / max |theirs|, at most 1e-4
    missing         tensors that peft expects and the folder lacks
    unexpected      tensors that the folder has and peft does not know
    effect          max |adapted - base| / max |base| by peft: 0 would prove nothing
"""

import json
import os
import sys
from importlib.metadata import version
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")

import numpy as np
import torch
from peft import PeftConfig, PeftModel, get_peft_model_state_dict
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

TOLERANCE = 1e-4
COPIES = (".original_module.", ".modules_to_save.")
HEADS = ("classifier.weight", "classifier.out_proj.weight", "score.weight")


def main() -> int:
    adapter, base, numbers = sys.argv[1:]
    result = check(adapter, base, json.loads(Path(numbers).read_text()))
    print(json.dumps(result))
    return 0 if result["ok"] else 1


def check(adapter: str, base: str, given: dict) -> dict:
    with safe_open(f"{adapter}/adapter_model.safetensors", "pt") as file:
        shapes = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}
    feeds = feeds_of(given)
    with torch.no_grad():
        plain = load_base(base, adapter, shapes)(**feeds).logits
        model = PeftModel.from_pretrained(load_base(base, adapter, shapes), adapter).eval()
        theirs = model(**feeds).logits
    if theirs.dim() == 3:
        # A prompt's own places come first.
        theirs = theirs[:, theirs.shape[1] - plain.shape[1] :]
    known = get_peft_model_state_dict(model, save_embedding_layers=any(name.endswith(".base_layer.weight") for name in shapes))
    # With biases trained peft saves those of whole modules two times more, and needs neither.
    known = {name: tensor for name, tensor in known.items() if not any(part in name for part in COPIES)}
    # RandLoRA's bases stand in the file once; peft asks for them under the name of each module that reads them too.
    brought = {tensor.data_ptr() for name, tensor in known.items() if name in shapes}
    known = {name: tensor for name, tensor in known.items() if name in shapes or tensor.data_ptr() not in brought}
    result = {
        "relativeError": relative_error(given, feeds, theirs),
        "tolerance": TOLERANCE,
        "missing": sorted(set(known) - set(shapes)),
        "unexpected": sorted(set(shapes) - set(known)),
        "wrongShapes": sorted(name for name in shapes if name in known and list(known[name].shape) != shapes[name]),
        "effect": ((theirs - plain).abs().max() / plain.abs().max()).item(),
        "versions": {package: version(package) for package in ("torch", "transformers", "peft")},
    }
    # Not "difference > …": a NaN must fail.
    agrees = result["relativeError"] <= TOLERANCE
    whole = not (result["missing"] or result["unexpected"] or result["wrongShapes"])
    return {"ok": agrees and whole, **result}


def feeds_of(given: dict) -> dict:
    return {
        name: torch.tensor(given[key])
        for name, key in (("input_ids", "inputIds"), ("attention_mask", "attentionMask"), ("token_type_ids", "tokenTypeIds"))
        if key in given
    }


def relative_error(given: dict, feeds: dict, theirs: torch.Tensor) -> float:
    """Largest difference from the given logits, padding left out, by the largest logit."""
    lengths = feeds["attention_mask"].sum(-1).tolist() if "attention_mask" in feeds else [feeds["input_ids"].shape[1]] * len(theirs)
    largest = difference = 0.0
    for row, (mine, logits) in enumerate(zip(given["logits"], theirs, strict=True)):
        ours = torch.tensor(mine)
        if logits.dim() == 2:
            ours, logits = ours[: lengths[row]], logits[: lengths[row]]
        assert ours.shape == logits.shape, (row, ours.shape, logits.shape)
        largest = max(largest, logits.abs().max().item())
        # maximum, unlike max, keeps a NaN.
        difference = float(np.maximum(difference, (ours - logits).abs().max().item()))
    return difference / largest


def load_base(base: str, adapter: str, shapes: dict):
    if PeftConfig.from_pretrained(adapter).task_type != "SEQ_CLS":
        return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, attn_implementation="eager").eval()
    # A base without a head gets one of the adapter's size, whose values the adapter brings.
    labels = [shape[0] for name, shape in shapes.items() if name.endswith(HEADS)]
    size = {"num_labels": labels[0]} if labels else {}
    return AutoModelForSequenceClassification.from_pretrained(
        base, dtype=torch.float32, attn_implementation="eager", **size
    ).eval()


if __name__ == "__main__":
    sys.exit(main())
