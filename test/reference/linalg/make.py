"""Writes what NumPy (LAPACK, float64) finds for matrices that formulas give.

Python 3.11, numpy as in test/reference/requirements.txt:  python test/reference/linalg/make.py
The entries are rationals of small integers, so that both languages make the same bits.
"""

import json
import pathlib

import numpy

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def whole(i, j, size):
    """Integers from -size to size that look arbitrary."""
    return (i * i * 31 + j * 17 + i * j * 7 + 11) % (2 * size + 1) - size


def matrix(rows, columns, entry):
    return numpy.array([[entry(i, j) for j in range(columns)] for i in range(rows)], dtype=numpy.float64)


CASES = {
    "whole": matrix(40, 40, lambda i, j: whole(i, j, 50)),
    "tall": matrix(160, 30, lambda i, j: whole(i, j, 9)),
    "wide": matrix(30, 140, lambda i, j: whole(i, j, 9) / 8),
    "two stages": matrix(150, 140, lambda i, j: whole(i, j, 999)),
    "Hilbert": matrix(20, 20, lambda i, j: 1 / (i + j + 1)),
    "rank 2": matrix(40, 30, lambda i, j: i + j),
}


def symmetric(a):
    """a aᵀ of the first 20 rows, in integers or eighths: exact."""
    return a[:20] @ a[:20].T


def main():
    cases = {}
    for name, a in CASES.items():
        s = symmetric(a)
        cases[name] = {
            "singularValues": numpy.linalg.svd(a, compute_uv=False).tolist(),
            "eigenvalues": numpy.linalg.eigvalsh(s).tolist(),
            "inverse00": numpy.linalg.inv(s + 1000 * numpy.eye(20))[0].tolist(),
            "absoluteR": numpy.abs(numpy.linalg.qr(a[:, :8], mode="r")).diagonal().tolist(),
        }
    FIXTURES.mkdir(exist_ok=True)
    document = {"numpy": numpy.__version__, "cases": cases}
    (FIXTURES / "numpy.json").write_text(json.dumps(document, indent=1) + "\n")


main()
