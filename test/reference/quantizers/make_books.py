"""Writes what PyTorch and bitsandbytes make of numbers in 8 and 6 bits: float8 codes, maps, double quantization.

Python 3.11, packages as in test/reference/requirements.txt:  python test/reference/quantizers/make_books.py
"""

import json
import pathlib

import bitsandbytes.functional as F
import torch


def hexadecimal(tensor):
    return bytes(tensor.contiguous().flatten().view(torch.uint8).tolist()).hex()


def float8(kind, top):
    """Values by code, and the codes of numbers that include ties."""
    values = torch.arange(256, dtype=torch.uint8).view(kind).float()
    finite = values[torch.isfinite(values)].sort().values
    ties = (finite[1:] + finite[:-1]) / 2
    generator = torch.Generator().manual_seed(1)
    random = (torch.rand(200, generator=generator) * 2 - 1) * torch.logspace(-5, 2.6, 200)
    numbers = torch.cat([ties, random.clamp(-top, top)])
    values[~torch.isfinite(values)] = float("nan")
    return {
        "values": hexadecimal(values),
        "numbers": hexadecimal(numbers),
        "rounded": hexadecimal(numbers.to(kind).float()),
    }


def main():
    fixture = {
        "made by": f"torch {torch.__version__}, bitsandbytes",
        "e4m3": float8(torch.float8_e4m3fn, 448),
        "e5m2": float8(torch.float8_e5m2, 57344),
        "dynamic8": hexadecimal(F.create_dynamic_map()),
        "nf4": hexadecimal(F.get_4bit_type("nf4", device="cpu")),
        "fp4": hexadecimal(F.get_4bit_type("fp4", device="cpu")),
    }
    path = pathlib.Path(__file__).parent / "fixtures" / "books.json"
    path.write_text(json.dumps(fixture, indent=1) + "\n")


main()
