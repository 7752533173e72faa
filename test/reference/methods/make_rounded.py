"""Writes fixtures/*.json of methods that round weights: small PyTorch statements of their papers' formulas.

Run with torch 2.15.0, transformers 5.23.0 (../requirements.txt):
    python make_rounded.py [NAME …]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from common import run
from make_formulas import linear

GROUP, BITS = 16, 4


def grouped(W: torch.Tensor, group: int) -> torch.Tensor:
    return W.reshape(W.shape[0], -1, group)


def whole_numbers(W: torch.Tensor, bits: int, group: int) -> tuple:
    """Each group's numbers from 0 with its scale and zero point, from its least and largest value and 0."""
    blocks = grouped(W, group)
    low = blocks.amin(2, keepdim=True).clamp(max=0)
    high = blocks.amax(2, keepdim=True).clamp(min=0)
    s = (high - low) / (2**bits - 1)
    z = (-low / s).round()
    return ((blocks / s).round() + z).clamp(0, 2**bits - 1), s, z


def peqa(site, tensors):
    """A factor on each scale of the whole numbers."""
    q, s, z = whole_numbers(site.W, BITS, GROUP)
    groups = site.width // GROUP
    site.trains(t=tensors.made(f"{site.site}#t", (site.out, groups), 0.2, 1))
    site.weight = lambda: (site["t"][:, :, None] * s * (q - z)).reshape(site.out, site.width)


def through(exact: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
    """The one's value with the other's gradient."""
    return exact + (rounded - exact).detach()


def l4q(site, tensors, r=4, alpha=8):
    blocks = grouped(site.W, GROUP)
    low, high = blocks.amin(2), blocks.amax(2)
    s = (high - low) / (2**BITS - 1)
    site.trains(
        A=tensors.made(f"{site.site}#A", (r, site.width), 0.15),
        B=tensors.made(f"{site.site}#B", (site.out, r), 0.05),
        s=s,
        b=low + s * 2 ** (BITS - 1),
    )
    share = (GROUP * 2 ** (BITS - 1)) ** -0.5
    # The value itself, with a part of its gradient.
    slowed = lambda x: x * share + (x - x * share).detach()

    def weight():
        step, offset = slowed(site["s"])[:, :, None], slowed(site["b"])[:, :, None]
        level = (grouped(site.W + alpha / r * site["B"] @ site["A"], GROUP) - offset) / step
        cut = level.clamp(-(2 ** (BITS - 1)), 2 ** (BITS - 1) - 1)
        return (through(cut, cut.round()) * step + offset).reshape(site.out, site.width)

    site.weight = weight


def bitnet(site, tensors):
    site.trains(L=site.W.clone())

    def weight():
        m = site["L"].abs().mean() + 1e-5
        return through(site["L"], (site["L"] / m).clamp(-1, 1).round() * m)

    site.weight = weight


BASE = {"quantization": {"type": "rtn", "bits": BITS, "group": GROUP, "scales": "float32"}}
# Adam's first steps are as long for a gradient that is nearly nothing as for any other: its rounding turns into other
# whole numbers, in PyTorch's own two precisions too. Plain steps along the gradient stay close.
BY_GRADIENT = {
    "make": lambda parameters: torch.optim.SGD(parameters, lr=0.05, foreach=False),
    "experiment": {"train": {"optimizer": {"type": "sgd"}}},
    "learningRate": 0.05,
    "subject": "method l4q",
}
CASES = {
    "peqa": linear({"type": "peqa", "group": GROUP}, peqa, experiment=BASE),
    "l4q": linear({"type": "l4q", "r": 4, "alpha": 8, "bits": BITS, "group": GROUP}, l4q, **BY_GRADIENT),
    "bitnet": linear({"type": "bitnet"}, bitnet),
}

if __name__ == "__main__":
    run(CASES)
