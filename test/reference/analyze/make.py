"""Writes what WeightWatcher finds for matrices that a formula gives.

Python 3.11, weightwatcher 0.7.7 (with powerlaw 2.0.0) beside test/reference/requirements.txt:
    python test/reference/analyze/make.py
Entry (i, j) is float32(whole(i, j) / 512 / (1 + i / 8)), so that both languages make the same bits.
"""

import json
import logging
import pathlib

import numpy
import powerlaw
import torch
import weightwatcher

SHAPES = {"wide": (90, 120), "tall": (200, 120), "square": (128, 128)}
FIELDS = {"alpha": "alpha", "xmin": "xmin", "D": "D", "sigma": "sigmaAlpha", "alpha_weighted": "alphaWeighted",
          "num_pl_spikes": "nTail", "stable_rank": "stableRank", "entropy": "matrixEntropy", "warning": "warning"}


def matrix(rows, columns):
    def entry(i, j):
        state = (i * 7919 + j * 104729 + i * j * 31) % 65521
        return ((state * state) % 65521 % 1025 - 512) / 512 / (1 + i / 8)

    return numpy.array([[entry(i, j) for j in range(columns)] for i in range(rows)]).astype(numpy.float32)


def main():
    logging.disable(logging.CRITICAL)
    layers = [torch.nn.Linear(columns, rows, bias=False) for rows, columns in SHAPES.values()]
    with torch.no_grad():
        for layer, shape in zip(layers, SHAPES.values()):
            layer.weight.copy_(torch.from_numpy(matrix(*shape)))
    details = weightwatcher.WeightWatcher(model=torch.nn.Sequential(*layers)).analyze()
    cases = {}
    for name, (_, row) in zip(SHAPES, details.iterrows()):
        cases[name] = {ours: row[theirs] if theirs == "warning" else float(row[theirs]) for theirs, ours in FIELDS.items()}
    versions = {"weightwatcher": weightwatcher.__version__, "powerlaw": powerlaw.__version__}
    path = pathlib.Path(__file__).parent / "fixtures" / "weightwatcher.json"
    path.write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")


main()
