"""What `make_peft.py` and `make_formulas.py` share: the base, its data, ten steps, and the form of a fixture.

The base and its batches are those of ../models/fixtures/llama.json. Tensors start by the formula of ../deterministic.py
under our own names (`module#parameter`), with a scale and an offset of their own; where a start is computed from data,
it is computed on both sides.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "models"))

import make as models
import torch
from cases import CAUSAL, batches
from deterministic import fill, rounded

PACKAGES = ("torch", "transformers", "peft")
CONFIG = CAUSAL["llama"]
CYCLE = batches("llama", CONFIG, "causal-lm")
STEPS = 10
LR = 5e-3
ADAM = {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}


def base():
    return models.build(CONFIG)


class Tensors:
    """Fills tensors by the formula, and remembers under which name and how."""

    def __init__(self):
        self.rows = {}

    def put(self, tensor, name: str, scale: float, offset: float = 0.0) -> None:
        scale, offset = rounded(scale), rounded(offset)
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(fill(name, tensor.shape, scale, offset)))
        self.rows[name] = {"name": name, "shape": list(tensor.shape), "scale": scale, "offset": offset}

    def made(self, name: str, shape, scale: float, offset: float = 0.0) -> torch.Tensor:
        tensor = torch.empty(*shape)
        self.put(tensor, name, scale, offset)
        return tensor

    def indices(self, name: str, values: list) -> torch.Tensor:
        """Whole numbers, as they are."""
        self.rows[name] = {"name": name, "shape": [len(values)], "values": values}
        return torch.tensor(values)


def cross_entropy(logits: torch.Tensor, batch: dict) -> torch.Tensor:
    labels = torch.tensor(batch["labels"])
    return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100)


def logits_of(model, batch: dict) -> torch.Tensor:
    feeds = {"input_ids": torch.tensor(batch["inputIds"]), "attention_mask": torch.tensor(batch["attentionMask"])}
    logits = model(**feeds).logits
    # A prompt's own places come first.
    return logits[:, logits.shape[1] - feeds["input_ids"].shape[1] :]


def adamw(parameters, lr: float = LR):
    return torch.optim.AdamW(list(parameters), lr=lr, foreach=False, **ADAM)


def train(model, optimizer, hooks: dict | None = None, penalty=None) -> dict:
    """Ten steps on the batches in turn; losses of the data before each update, and the logits afterwards."""
    hooks = hooks or {}
    nothing = lambda *_: None
    losses = []
    for t in range(1, STEPS + 1):
        batch = CYCLE[(t - 1) % len(CYCLE)]
        hooks.get("before", nothing)(t)
        optimizer.zero_grad()
        loss = cross_entropy(logits_of(model, batch), batch)
        (loss + penalty() if penalty else loss).backward()
        losses.append(models.number(loss.item()))
        hooks.get("backward", nothing)(t)
        optimizer.step()
        hooks.get("after", nothing)(t)
    return {"losses": losses, "logits": final_logits(model)}


def final_logits(model) -> list:
    """Of the last token of each sequence of the first batch."""
    batch = CYCLE[0]
    with torch.no_grad():
        logits = logits_of(model, batch)
    return [models.numbers(row[sum(mask) - 1]) for row, mask in zip(logits, batch["attentionMask"], strict=True)]


def write(name: str, source: str, experiment: dict, tensors: Tensors, result: dict, **more) -> None:
    """`source` says whose numbers these are: `peft`, `torch`, or `formulas` for those stated here."""
    assert result["losses"][-1] != result["losses"][0] and all(x == x for x in result["losses"]), result
    fixture = {
        "name": name,
        "source": source,
        "versions": {package: version(package) for package in PACKAGES if source == "peft" or package != "peft"},
        "experiment": experiment,
        "learningRate": LR,
        "tensors": list(tensors.rows.values()),
        **more,
        **result,
    }
    models.FOLDER = HERE / "fixtures"
    models.write(name, fixture)
    print(f"{name:24} {result['losses'][0]:.6f} … {result['losses'][-1]:.6f}")


def run(cases: dict) -> None:
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    chosen = sys.argv[1:]
    for name, case in cases.items():
        if not chosen or name in chosen:
            torch.manual_seed(0)
            case(name)
