"""Reads quantized folders of the sample's base as others do, and writes what they hold.

Python 3.11, packages as in test/reference/requirements.txt:  python test/reference/quantizers/make_folders.py
The folders come from `spectune quantize`, without data, so that the test makes the same ones. NF4 and FP4 are
opened by transformers with bitsandbytes and dequantized by it; GPTQ's layout is read by the formulas of its
kernels: W = scale * (q - zero), words of 32 bits with the first code lowest, zeros plus one for `gptq`; AWQ's
version `gemm` by those of AutoAWQ 0.2.9 (`utils/packing_utils.py`): words of eight outputs in the order that its
reversal undoes, zeros as they are. transformers 5.23 opens
both with another package's kernels alone: add_products.py has what it gives then.
Each matrix [out, in] is told by the SHA-256 of its float32 bytes; `logits` are the first of the last of a few
tokens, of the base in transformers with those matrices; `products` are those by bitsandbytes' own products, as it
opens the folder. Names of folders make these alone anew.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent.parent
BASE = ROOT / "media/sample/base"
TOKENS = [17, 42, 99, 5, 230, 311]
FOLDERS = {
    "nf4": ["--type", "nf4"],
    "nf4-32": ["--type", "nf4", "--set", "quantization.block_size=32"],
    "nf4-plain": ["--type", "nf4", "--set", "quantization.double_quant=false"],
    **{
        f"rtn{bits}{'-sym' if symmetric else ''}": [
            *["--type", "rtn", "--bits", str(bits), "--group", "32"],
            *(["--set", "quantization.symmetric=true"] if symmetric else []),
        ]
        for bits in (2, 3, 4, 8)
        for symmetric in (False, True)
    },
    "awq": ["--type", "rtn", "--bits", "4", "--group", "32", "--layout", "awq"],
    "awq-rows": ["--type", "rtn", "--bits", "4", "--group", "-1", "--layout", "awq"],
}


def sha(values):
    return hashlib.sha256(numpy.ascontiguousarray(values, dtype=numpy.float32).tobytes()).hexdigest()


def unpacked(words, bits, axis):
    """Codes of words of 32 bits along an axis, the first lowest."""
    bytes_ = numpy.moveaxis(words, axis, -1).astype("<i4").copy().view(numpy.uint8)
    flags = numpy.unpackbits(bytes_, axis=-1, bitorder="little")
    flags = flags.reshape(*flags.shape[:-1], -1, bits)
    codes = (flags * (1 << numpy.arange(bits))).sum(-1)
    return numpy.moveaxis(codes, -1, axis)


def gptq(folder):
    about = json.loads((folder / "config.json").read_text())["quantization_config"]
    assert about["quant_method"] == "gptq"
    bits = about["bits"]
    less = {"gptq": 1, "gptq_v2": 0}[about["checkpoint_format"]]
    tensors = load_file(folder / "model.safetensors")
    found = {}
    for name in sorted(tensors):
        if not name.endswith(".qweight"):
            continue
        module = name[: -len(".qweight")]
        codes = unpacked(tensors[name], bits, 0)
        zeros = (unpacked(tensors[f"{module}.qzeros"], bits, 1) + less) % (1 << bits)
        scales = tensors[f"{module}.scales"].astype(numpy.float32)
        group = tensors[f"{module}.g_idx"]
        weight = scales[group] * (codes - zeros[group]).astype(numpy.float32)
        found[module] = numpy.ascontiguousarray(weight.T)
    return found


# AutoAWQ's AWQ_REVERSE_ORDER: the part of a word, counted from the lowest, that holds each output of eight.
AWQ_PARTS = [0, 4, 1, 5, 2, 6, 3, 7]


def awq(folder):
    about = json.loads((folder / "config.json").read_text())["quantization_config"]
    wanted = {"quant_method": "awq", "bits": 4, "zero_point": True, "version": "gemm"}
    assert {key: about[key] for key in wanted} == wanted
    tensors = load_file(folder / "model.safetensors")

    def outputs(words):
        parts = (words[:, :, None].astype(numpy.int64) >> (4 * numpy.arange(8))) & 15
        return parts[:, :, AWQ_PARTS].reshape(len(words), -1)

    found = {}
    for name in sorted(tensors):
        if not name.endswith(".qweight"):
            continue
        module = name[: -len(".qweight")]
        codes, zeros = outputs(tensors[name]), outputs(tensors[f"{module}.qzeros"])
        scales = tensors[f"{module}.scales"].astype(numpy.float32)
        size = len(codes) if about["group_size"] == -1 else about["group_size"]
        group = numpy.arange(len(codes)) // size
        weight = scales[group] * (codes - zeros[group]).astype(numpy.float32)
        found[module] = numpy.ascontiguousarray(weight.T)
    return found


def logits_of(model):
    with torch.no_grad():
        logits = model(torch.tensor([TOKENS])).logits[0, -1].float()
    return [float(value) for value in logits[:8]]


def with_weights(weights):
    """The base in transformers with the matrices that were read of a folder."""
    model = AutoModelForCausalLM.from_pretrained(BASE, dtype=torch.float32)
    modules = dict(model.named_modules())
    for name, weight in weights.items():
        assert modules[name].weight.shape == weight.shape, name
        modules[name].weight.data = torch.from_numpy(weight)
    return model


def bitsandbytes(folder):
    import bitsandbytes.functional as functional

    model = AutoModelForCausalLM.from_pretrained(folder)
    found = {}
    for name, module in model.named_modules():
        if type(module).__name__ != "Linear4bit":
            continue
        state = module.weight.quant_state
        # Its decoder for CPUs takes blocks to end with a row, which its own encoder does not.
        if state.shape[1] % state.blocksize != 0:
            continue
        found[name] = functional.dequantize_4bit(module.weight.data, state).float().numpy()
    # Its products on a CPU want rows of whole blocks too, and round to fewer digits than float32 has.
    return found, logits_of(model) if folder.name == "nf4-32" else None


def main():
    target = HERE / "fixtures/folders.json"
    wanted = sys.argv[1:]
    recorded = {**(json.loads(target.read_text()) if wanted else {}), "tokens": TOKENS}
    for name, options in FOLDERS.items():
        if wanted and name not in wanted:
            continue
        with tempfile.TemporaryDirectory() as temporary:
            out = pathlib.Path(temporary) / name
            entry = ROOT / "src/cli/spectune.ts"
            command = [ROOT / "node_modules/.bin/node", entry, "quantize", BASE, "--out", out]
            subprocess.run([*command, *options], check=True, stdout=sys.stderr)
            products = None
            if name.startswith("nf4"):
                weights, products = bitsandbytes(out)
            else:
                weights = (awq if name.startswith("awq") else gptq)(out)
            found = {module: sha(weight) for module, weight in weights.items()}
            recorded[name] = {"options": options, "matrices": found}
            if len(found) == 35:
                recorded[name]["logits"] = logits_of(with_weights(weights))
            if products is not None:
                recorded[name]["products"] = products
            assert len(recorded[name]["matrices"]) in (5, 35), name
    target.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")


main()
