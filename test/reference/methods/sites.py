"""Linear layers whose weight is a function of tensors that train: how make_formulas.py states a method."""

import torch
from common import CYCLE, base, cross_entropy, logits_of

KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


class Site(torch.nn.Module):
    """x Wᵀ with W as `weight` has it at that moment."""

    def __init__(self, name: str, linear: torch.nn.Linear):
        super().__init__()
        self.site = name
        self.kind = name.split(".")[-1]
        self.W = linear.weight.detach().clone()
        self.out, self.width = self.W.shape
        self.own = {}
        self.weight = lambda: self.W

    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight())

    def trains(self, **tensors):
        for key, tensor in tensors.items():
            self.own[key] = torch.nn.Parameter(tensor)
        return list(self.own.values())

    def __getitem__(self, key: str) -> torch.Tensor:
        return self.own[key]


def sites(model=None) -> tuple:
    """The model, by default the fixtures' base, everything frozen, and its linear layers but the head."""
    model = model or base()
    model.requires_grad_(False)
    found = []
    for name, module in list(model.named_modules()):
        if name.split(".")[-1] in KINDS:
            parent, _, last = name.rpartition(".")
            found.append(Site(name, module))
            setattr(model.get_submodule(parent), last, found[-1])
    return model, found


def gradients() -> dict:
    """Of the mean of the single examples' mean losses, by each linear layer's weight."""
    model = base()
    examples = [one(batch, row) for batch in CYCLE for row in range(len(batch["inputIds"]))]
    for example in examples:
        (cross_entropy(logits_of(model, example), example) / len(examples)).backward()
    return {name: m.weight.grad for name, m in model.named_modules() if name.split(".")[-1] in KINDS}


def squared_gradients() -> dict:
    """Sums over the examples of the squares of each one's gradient."""
    sums = {}
    for batch in CYCLE:
        for row in range(len(batch["inputIds"])):
            model, example = base(), one(batch, row)
            cross_entropy(logits_of(model, example), example).backward()
            for name, m in model.named_modules():
                if name.split(".")[-1] in KINDS:
                    sums[name] = sums.get(name, 0) + m.weight.grad.square()
    return sums


def batch_gradients() -> dict:
    """Of the mean of the batches' mean losses."""
    model = base()
    for batch in CYCLE:
        (cross_entropy(logits_of(model, batch), batch) / len(CYCLE)).backward()
    return {name: m.weight.grad for name, m in model.named_modules() if name.split(".")[-1] in KINDS}


def one(batch: dict, row: int) -> dict:
    return {key: [values[row]] for key, values in batch.items()}
