"""Writes what the official GPTQ class and AWQ's official search give on fixed layers.

    pip download --no-deps auto-gptq==0.7.1 autoawq==0.2.9      (into a folder FOLDER; neither is installed)
    python test/reference/quantizers/make_official.py FOLDER    (torch as in test/reference/requirements.txt)

Only the files of the algorithms are read from the archives: `auto_gptq/quantization/{gptq,quantizer}.py` (the class
of IST-DASLab's repository, carried on) and `awq/quantize/quantizer.py` (mit-han-lab's search, carried on, with
`duo_scaling=False` as it is there). What else they import stands in as nothing. Without a CUDA device `synchronize` has nothing to
wait for. Weights come from deterministic.py; floats are written as the hexadecimal digits of their bytes.
"""

import importlib.util
import json
import pathlib
import sys
import tarfile
import tempfile
import types
import zipfile

import numpy
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from deterministic import fill
from make import DEAD, inputs

ROWS, COLUMNS, GROUP, SEQUENCES, CHANNELS = 64, 48, 16, 4, 20


def nothing(name, **members):
    sys.modules[name] = types.SimpleNamespace(__name__=name, __path__=[], __spec__=None, **members)


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def official(folder):
    """GPTQ's class, its quantizer and AWQ's search."""
    place = pathlib.Path(tempfile.mkdtemp())
    wheel = next(folder.glob("auto_gptq-0.7.1-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        for name in ("gptq.py", "quantizer.py"):
            archive.extract(f"auto_gptq/quantization/{name}", place)
    with tarfile.open(folder / "autoawq-0.2.9.tar.gz") as archive:
        archive.extract("autoawq-0.2.9/awq/quantize/quantizer.py", place, filter="data")

    class Conv1D(torch.nn.Module):
        pass

    nothing("transformers", Conv1D=Conv1D, pytorch_utils=types.SimpleNamespace(Conv1D=Conv1D))
    nothing("tqdm", tqdm=iter)
    no = lambda *names: {name: None for name in names}
    nothing("awq"), nothing("awq.utils"), nothing("awq.quantize"), nothing("awq.modules")
    nothing("awq.utils.calib_data", **no("get_calib_dataset"))
    nothing("awq.quantize.scale", **no("apply_scale", "apply_clip"))
    nothing("awq.utils.utils", clear_memory=lambda *_: None, get_best_device=lambda: "cpu")
    kinds = ("WQLinear_GEMM", "WQLinear_GEMV", "WQLinear_Marlin", "WQLinear_GEMVFast")
    nothing("awq.modules.linear", **no(*kinds))
    names = ("append_str_prefix", "set_op_by_name", "get_named_linears", "exclude_layers_to_not_quantize")
    nothing("awq.utils.module", get_op_name=lambda _, op: "op", **no(*names))
    torch.cuda.synchronize = lambda *_: None
    nothing("auto_gptq"), nothing("auto_gptq.quantization")
    quantizer = load("auto_gptq.quantization.quantizer", place / "auto_gptq/quantization/quantizer.py")
    gptq = load("auto_gptq.quantization.gptq", place / "auto_gptq/quantization/gptq.py")
    awq = load("awq.quantize.quantizer", place / "autoawq-0.2.9/awq/quantize/quantizer.py")
    return gptq.GPTQ, quantizer.Quantizer, awq.AwqQuantizer


def hexadecimal(tensor):
    return tensor.detach().float().contiguous().numpy().astype("<f4").tobytes().hex()


def hexadecimal_bytes(tensor):
    return bytes(tensor.to(torch.uint8).flatten().tolist()).hex()


def codes_of(values, scale, zero):
    codes = values / scale + zero
    assert float((codes - codes.round()).abs().max()) < 1e-3
    return hexadecimal_bytes(codes.round())


def linear(weight):
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False)
    layer.weight.data = weight.clone()
    return layer


def run_gptq(GPTQ, weight, x, bits, symmetric, group, act_order, static):
    layer = linear(weight)
    solver = GPTQ(layer)
    solver.quantizer.configure(bits, perchannel=True, sym=symmetric, mse=False)
    for sequence in x.split(len(x) // SEQUENCES):
        solver.add_batch(sequence, None)
    scale, zero, index = solver.fasterquant(
        percdamp=0.01, group_size=group, actorder=act_order, static_groups=static
    )
    index = index.long() if group > 0 else torch.zeros(COLUMNS, dtype=torch.long)
    return {
        "codes": codes_of(layer.weight.data, scale[:, index], zero[:, index]),
        "scales": hexadecimal(scale),
        "zeros": hexadecimal_bytes(zero),
        "groups": index.tolist(),
    }


def run_awq(AwqQuantizer, weight, x, bits):
    """The search for one linear layer, its cuts and what is stored of it."""
    search = AwqQuantizer.__new__(AwqQuantizer)
    search.w_bit, search.group_size, search.zero_point = bits, GROUP, True
    search.duo_scaling, search.n_parallel_calib_samples = False, None
    search.max_chunk_memory = 2**30
    search._sanitize_kwargs = lambda kwargs, module: kwargs
    layer = linear(weight)
    _, _, factors = search._search_best_scale(None, None, [layer], x)
    layer.weight.data = weight * factors
    limits = search._compute_best_clip(layer.weight.data, x / factors)
    cut = layer.weight.data.reshape(*limits.shape[:2], -1)
    cut = torch.clamp(cut, -limits, limits).reshape(weight.shape)
    values, scales, zeros = search.pseudo_quantize_tensor(cut)
    each = torch.arange(COLUMNS) // GROUP
    return {
        "factors": hexadecimal(factors),
        "limits": hexadecimal(limits),
        "scales": hexadecimal(scales),
        "codes": codes_of(values, scales[:, each], zeros[:, each]),
        "zeros": hexadecimal_bytes(zeros),
    }


GPTQ_CASES = {
    "int4 by rows": dict(bits=4),
    "int3, symmetric, by rows": dict(bits=3, symmetric=True),
    "int4, groups": dict(bits=4, group=GROUP),
    "int2, groups": dict(bits=2, group=GROUP),
    "int4, groups, act-order": dict(bits=4, group=GROUP, act_order=True),
    "int3, groups, act-order, static groups": dict(bits=3, group=GROUP, act_order=True, static=True),
}
DEFAULTS = dict(symmetric=False, group=-1, act_order=False, static=False)


def main():
    GPTQ, _, AwqQuantizer = official(pathlib.Path(sys.argv[1]))
    weight = torch.from_numpy(fill("official.weight", (ROWS, COLUMNS), 0.25, 0.0))
    x = torch.from_numpy(inputs()).float()
    # A row that tells columns apart: the official class sorts equal moments in no certain order.
    x[0] = torch.arange(COLUMNS).float() + 40
    x[:, DEAD] = 0
    moments = torch.diag(x.T @ x)
    assert len(moments.unique()) == COLUMNS
    gptq = [
        {"name": name, **DEFAULTS, **options, **run_gptq(GPTQ, weight, x, **{**DEFAULTS, **options})}
        for name, options in GPTQ_CASES.items()
    ]
    # Inputs of very different sizes, so that the search has something to find.
    sizes = torch.from_numpy(numpy.exp2(numpy.arange(COLUMNS) % 7 - 3).astype(numpy.float32))
    with torch.no_grad():
        awq = [{"bits": bits, **run_awq(AwqQuantizer, weight, x * sizes, bits)} for bits in (2, 3, 4)]
    data = {
        "made": {
            "by": "test/reference/quantizers/make_official.py",
            "autoGptq": "0.7.1",
            "autoAwq": "0.2.9",
            "torch": torch.__version__,
        },
        "rows": ROWS,
        "columns": COLUMNS,
        "group": GROUP,
        "sequences": SEQUENCES,
        "x": bytes(x.to(torch.int8).view(torch.uint8).flatten().tolist()).hex(),
        "sizes": hexadecimal(sizes),
        "gptq": gptq,
        "awq": awq,
    }
    target = pathlib.Path(__file__).parent / "fixtures/official.json"
    target.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
