"""Adds to fixtures/folders.json the logits of folders in GPTQ's and AWQ's layout, as transformers opens and multiplies them.

Python 3.11, packages as in test/reference/requirements.txt, and gptqmodel 7.7.0 with optimum, whose kernels transformers
takes for both layouts; from the source package, with `BUILD_CUDA_EXT=0`, or unpacked on PYTHONPATH:
    python test/reference/quantizers/add_products.py
Nothing of the folders is read by formulas here, so that what the layouts mean is theirs. The kernel for CPUs of 4 bits is
compiled at the first call, which takes minutes.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent.parent
TARGET = HERE / "fixtures/folders.json"
FOLDERS = ("rtn4", "rtn4-sym", "rtn8", "awq")


def products(folder: pathlib.Path, tokens: list) -> list:
    model = AutoModelForCausalLM.from_pretrained(folder, device_map="cpu", dtype=torch.float32)
    kinds = {type(module).__module__ for module in model.model.layers.modules()}
    assert any(kind.startswith("gptqmodel.") for kind in kinds), kinds
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0, -1, :8].float().tolist()


def main():
    recorded = json.loads(TARGET.read_text())
    for name in FOLDERS:
        with tempfile.TemporaryDirectory() as temporary:
            out = pathlib.Path(temporary) / name
            command = [ROOT / "node_modules/.bin/node", ROOT / "src/cli/spectune.ts", "quantize", ROOT / "media/sample/base"]
            subprocess.run([*command, "--out", out, *recorded[name]["options"]], check=True, stdout=sys.stderr)
            recorded[name]["products"] = products(out, recorded["tokens"])
    TARGET.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")


main()
