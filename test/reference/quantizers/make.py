"""Writes what GPTQ's steps and AWQ's grid give on fixed layers, in float32 with PyTorch as their official code computes.

Python 3.11, torch as in test/reference/requirements.txt:  python test/reference/quantizers/make.py
Written from the formulas. Weights come from deterministic.py; inputs are whole numbers, so that the
second moments are exact in both languages. Codes, scales and zeros are hexadecimal bytes.
"""

import json
import pathlib
import sys

import numpy
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from deterministic import fill

ROWS, COLUMNS, TOKENS, SEQUENCES, DEAD = 24, 48, 200, 4, 7


def inputs():
    """[TOKENS, COLUMNS]: arbitrary whole numbers and one that all columns share."""
    i, j = numpy.indices((TOKENS, COLUMNS), dtype=numpy.int64)
    own = (i * i * 31 + j * 17 + i * j * 7 + j * j * 3 + 11) % 7 - 3
    shared = ((i * i * 13 + i * 5 + 3) % 11 - 5) * (j % 5 - 2)
    x = own + shared
    x[:, DEAD] = 0
    return x


class Grid:
    """One scale and zero for each row."""

    def __init__(self, w, bits, symmetric, shrunk):
        self.top = 2**bits - 1
        low = torch.minimum(w.min(1).values, torch.zeros(len(w)))
        high = torch.maximum(w.max(1).values, torch.zeros(len(w)))
        if symmetric:
            high = torch.maximum(-low, high)
            low = -high
        empty = (low == 0) & (high == 0)
        low[empty], high[empty] = -1, 1
        self.symmetric, self.bits = symmetric, bits
        self.scale, self.zero = self.steps(low, high)
        if not shrunk:
            return
        least = torch.full((len(w),), float("inf"), dtype=torch.float64)
        best = (self.scale, self.zero)
        for i in range(80):
            p = 1 - i / 100
            trial = self.steps(p * low, p * high)
            error = ((self.quantize(w, *trial) - w).double().abs() ** 2.4).sum(1)
            better = error < least
            least = torch.where(better, error, least)
            best = tuple(torch.where(better, new, old) for new, old in zip(trial, best))
        self.scale, self.zero = best

    def steps(self, low, high):
        scale = (high - low) / self.top
        if self.symmetric:
            return scale, torch.full_like(scale, (self.top + 1) / 2)
        return scale, torch.round(-low / scale)

    def codes(self, w, scale, zero):
        return torch.clamp(torch.round(w / scale[:, None]) + zero[:, None], 0, self.top)

    def quantize(self, w, scale, zero):
        return scale[:, None] * (self.codes(w, scale, zero) - zero[:, None])


def gptq(weight, hessian, bits, symmetric, group, act_order, static, shrunk, block=128):
    w, h = weight.clone(), hessian.clone()
    make = lambda part: Grid(part, bits, symmetric, shrunk)
    grid = make(w)
    dead = torch.diag(h) == 0
    h[dead, dead] = 1
    w[:, dead] = 0
    groups = [] if group is None else [make(w[:, g : g + group]) for g in range(0, COLUMNS, group)]
    order = torch.arange(COLUMNS)
    if act_order:
        order = torch.argsort(torch.diag(h), descending=True, stable=True)
        w, h = w[:, order], h[order][:, order]
    h += 0.01 * torch.diag(h).mean() * torch.eye(COLUMNS)
    u = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(h)), upper=True)
    codes = torch.zeros(ROWS, COLUMNS)
    loss, group_of = 0.0, torch.zeros(COLUMNS, dtype=torch.int64)
    for first in range(0, COLUMNS, block):
        last = min(first + block, COLUMNS)
        work, errors = w[:, first:last].clone(), torch.zeros(ROWS, last - first)
        for k in range(last - first):
            position = first + k
            if group is not None:
                index = (int(order[position]) if static else position) // group
                if not static and position % group == 0:
                    # As the official code does: of a block only what earlier blocks corrected.
                    groups[index] = make(w[:, position : position + group])
                grid, group_of[order[position]] = groups[index], index
            column = work[:, k : k + 1]
            codes[:, order[position]] = grid.codes(column, grid.scale, grid.zero)[:, 0]
            errors[:, k] = ((column - grid.quantize(column, grid.scale, grid.zero)) / u[position, position])[:, 0]
            work[:, k:] -= errors[:, k : k + 1] @ u[position : position + 1, first + k : last]
        loss += float((errors.double() ** 2).sum())
        w[:, last:] -= errors @ u[first:last, last:]
    grids = groups if group is not None else [grid]
    return {
        "loss": loss,
        "codes": bytes(codes.to(torch.uint8).flatten().tolist()).hex(),
        "scales": torch.stack([g.scale for g in grids], 1).contiguous().numpy().astype("<f4").tobytes().hex(),
        "zeros": bytes(torch.stack([g.zero for g in grids], 1).to(torch.uint8).flatten().tolist()).hex(),
        "groups": group_of.tolist(),
    }


def awq_grid(weight, bits, symmetric, group, limit):
    """AWQ's quantizer on rows of `group` weights, cut to plus and minus `limit` of their largest magnitude."""
    w = weight.reshape(-1, group)
    most = w.abs().amax(1, keepdim=True)
    w = torch.minimum(torch.maximum(w, -limit * most), limit * most)
    if symmetric:
        low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        scale = w.abs().amax(1, keepdim=True).clamp(min=1e-5) / high
        zero = torch.zeros_like(scale)
    else:
        low, high = 0, 2**bits - 1
        scale = (w.amax(1, keepdim=True) - w.amin(1, keepdim=True)).clamp(min=1e-5) / high
        zero = (-torch.round(w.amin(1, keepdim=True) / scale)).clamp(low, high)
    values = (torch.clamp(torch.round(w / scale) + zero, low, high) - zero) * scale
    return {
        "limits": (limit * most).flatten().numpy().astype("<f4").tobytes().hex(),
        "values": values.flatten().numpy().astype("<f4").tobytes().hex(),
    }


AWQ_CASES = {
    "int4": dict(bits=4),
    "int3, cut to 0.7": dict(bits=3, limit=0.7),
    "int2, cut to 0.55": dict(bits=2, limit=0.55),
    "int4, symmetric": dict(bits=4, symmetric=True),
    "int8": dict(bits=8),
}
AWQ_DEFAULTS = dict(symmetric=False, group=16, limit=1.0)

CASES = {
    "int4": dict(bits=4),
    "int4, symmetric": dict(bits=4, symmetric=True),
    "int2": dict(bits=2),
    "int3, groups of 16": dict(bits=3, group=16),
    "int3, groups of 20, the last short": dict(bits=3, group=20),
    "int4, groups of 16, act-order": dict(bits=4, group=16, act_order=True),
    "int4, groups of 16, act-order, static groups": dict(bits=4, group=16, act_order=True, static=True),
    "int2, symmetric, groups of 16, shrunk": dict(bits=2, symmetric=True, group=16, shrunk=True),
    "int3, act-order, shrunk": dict(bits=3, act_order=True, shrunk=True),
    "int4, groups of 16, blocks of 32": dict(bits=4, group=16, block=32),
    "int3, groups of 40, blocks of 16": dict(bits=3, group=40, block=16),
}
DEFAULTS = dict(symmetric=False, group=None, act_order=False, static=False, shrunk=False, block=128)


def main():
    weight = torch.from_numpy(fill("gptq.weight", (ROWS, COLUMNS), 0.25, 0.0))
    x = torch.from_numpy(inputs()).float()
    hessian = 2 / SEQUENCES * x.T @ x
    cases = []
    for name, options in CASES.items():
        full = {**DEFAULTS, **options}
        cases.append({"name": name, **full, **gptq(weight, hessian, **full)})
    # A third of the rows has no value below zero, where AWQ's range and GPTQ's differ.
    lifted = weight.clone()
    lifted[::3] += 0.5
    awq = []
    for name, options in AWQ_CASES.items():
        full = {**AWQ_DEFAULTS, **options}
        awq.append({"name": name, **full, **awq_grid(lifted[:6], **full)})
    fixture = {
        "made by": f"torch {torch.__version__}",
        "rows": ROWS,
        "columns": COLUMNS,
        "tokens": TOKENS,
        "sequences": SEQUENCES,
        "dead": DEAD,
        "cases": cases,
        "awq": awq,
    }
    path = pathlib.Path(__file__).parent / "fixtures" / "gptq.json"
    path.write_text(json.dumps(fixture, indent=1) + "\n")


main()
