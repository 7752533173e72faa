"""Writes what bitsandbytes makes of a fixed matrix in FP4, on the CPU.

    python test/reference/quantizers/make_fp4.py    (bitsandbytes as in test/reference/requirements.txt)

Weights come from deterministic.py (its CPU kernel decodes by way of bfloat16, so that codes and scales alone
are recorded); floats are written as the hexadecimal digits of their bytes.
"""

import json
import pathlib
import sys

import torch
import bitsandbytes
import bitsandbytes.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from deterministic import fill

ROWS, COLUMNS = 37, 96


def hexadecimal(tensor):
    return bytes(tensor.contiguous().flatten().view(torch.uint8).tolist()).hex()


def main():
    weight = torch.from_numpy(fill("fp4.weight", (ROWS, COLUMNS), 0.25, 0.0))
    cases = []
    for block in (64, 128, 256):
        codes, state = F.quantize_4bit(weight, blocksize=block, quant_type="fp4")
        cases.append(
            {
                "block": block,
                "codes": hexadecimal(codes),
                "absmax": hexadecimal(state.absmax),
            }
        )
    data = {
        "made": {
            "by": "test/reference/quantizers/make_fp4.py",
            "bitsandbytes": bitsandbytes.__version__,
            "torch": torch.__version__,
        },
        "rows": ROWS,
        "columns": COLUMNS,
        "cases": cases,
    }
    target = pathlib.Path(__file__).parent / "fixtures/fp4.json"
    target.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
