"""Golden vectors of 4-bit block quantization, made by bitsandbytes on the CPU.

    python -m venv VENV && VENV/bin/pip install -r test/reference/requirements.txt
    VENV/bin/python test/reference/nf4/make.py

Codes come from the package's `quantize_4bit`. The 8-bit codes of the scales come from its PyTorch
kernel of `quantize_blockwise` ("default"), which follows the same midpoint rule as its CUDA kernel;
the native CPU kernel looks values up in 65,536 steps and differs for the map's smallest values
(how often is recorded as `nativeDifferences`). Floats are written as the hexadecimal digits of their bytes.
"""

import json
import pathlib

import torch

kernels = {}
register = torch.library.register_kernel


def capture(op, device_types, *args, **kwargs):
    """Registers as torch does, and remembers the kernel by operator and device."""
    decorate = register(op, device_types, *args, **kwargs)

    def remember(kernel):
        kernels[(op, device_types)] = kernel
        return decorate(kernel)

    return remember


torch.library.register_kernel = capture
import bitsandbytes  # noqa: E402
import bitsandbytes.functional as F  # noqa: E402

quantize_blockwise = kernels[("bitsandbytes::quantize_blockwise", "default")]


def hexadecimal(tensor):
    return bytes(tensor.contiguous().flatten().view(torch.uint8).tolist()).hex()


def nest(name, absmax):
    """The second quantization as `quantize_4bit(compress_statistics=True)` does it."""
    offset = absmax.mean()
    code = F.create_dynamic_map()
    codes, _ = quantize_blockwise(absmax - offset, code, 256)
    native, state = F.quantize_blockwise(absmax - offset, blocksize=256)
    nested = state.absmax
    scales = F.dequantize_blockwise(codes, absmax=nested, code=code, blocksize=256) + offset
    return {
        "name": name,
        "absmax": hexadecimal(absmax),
        "offset": offset.item(),
        "codes": hexadecimal(codes),
        "nested": hexadecimal(nested),
        "scales": hexadecimal(scales),
        "nativeDifferences": int((native != codes).sum()),
    }


def case(name, values, quant_type="nf4"):
    values = values.flatten()
    codes, state = F.quantize_4bit(values, quant_type=quant_type)
    _, compressed = F.quantize_4bit(values, quant_type=quant_type, compress_statistics=True)
    nested = nest(name, state.absmax)
    assert nested["offset"] == compressed.offset.item()
    assert nested["nested"] == hexadecimal(compressed.state2.absmax)
    state.dtype = torch.float32
    return {
        "name": name,
        "codeBook": quant_type,
        "values": hexadecimal(values.float()),
        "codes": hexadecimal(codes),
        "absmax": hexadecimal(state.absmax),
        "decoded": hexadecimal(F.dequantize_4bit(codes, state).flatten().float()),
        "nested": nested,
    }


def cases():
    generator = torch.Generator().manual_seed(20240607)

    def normal(count, scale=0.02):
        return torch.randn(count, generator=generator) * scale

    ramp = ((torch.arange(64) * 37) % 64 - 31.5) / 64
    outliers = normal(1024)
    outliers[torch.tensor([3, 100, 700])] = torch.tensor([3.0, -11.0, 0.9])
    zeros = normal(256)
    zeros[64:128] = 0
    book = F.get_4bit_type("nf4", device="cpu")
    midpoints = (book[1:] + book[:-1]) / 2
    ties = torch.cat([torch.tensor([1.0]), midpoints, book, torch.nextafter(midpoints, torch.tensor(2.0)),
                      torch.nextafter(midpoints, torch.tensor(-2.0)), torch.zeros(2)])[:64]
    yield case("a fixed permutation of a ramp", ramp)
    yield case("a fixed permutation of a ramp, FP4", ramp, "fp4")
    yield case("normal", normal(2048))
    yield case("normal, FP4", normal(1024), "fp4")
    yield case("one element", normal(1))
    yield case("an odd count, last block short", normal(333))
    yield case("an even count, last block short", normal(64 * 5 + 18))
    yield case("outliers", outliers)
    yield case("tiny", normal(256, 1e-20))
    yield case("subnormal", normal(128, 1e-39))
    yield case("below the least reciprocal", normal(128, 1e-42))
    yield case("huge", normal(128, 1e37))
    yield case("bfloat16 input", normal(512).bfloat16())
    yield case("float16 input", normal(512).half())
    yield case("a block of zeros", zeros)
    yield case("thresholds, code values and their neighbours", ties)


def scale_cases():
    generator = torch.Generator().manual_seed(20240608)
    yield nest("a block and a short one", torch.rand(300, generator=generator) * 0.1)
    yield nest("many blocks", torch.randn(2000, generator=generator).abs() * 0.02)
    yield nest("far apart", torch.randn(520, generator=generator).exp().pow(4))
    yield nest("all equal", torch.full((17,), 0.3))


def means():
    """Means of more scales than a file should hold: element i is ((40503 i² mod 65521) / 65536) * 0.1."""
    for count in (1, 7, 8, 31, 511, 512, 8191, 8192, 9000, 12345, 16384, 20000, 24680, 27001, 30003, 32767):
        values = (torch.arange(count) ** 2 * 40503 % 65521).float() / 65536 * 0.1
        yield {"count": count, "mean": values.mean().item()}


here = pathlib.Path(__file__).parent / "fixtures"
result = {
    "versions": {"torch": torch.__version__, "bitsandbytes": bitsandbytes.__version__},
    "dynamicMap": hexadecimal(F.create_dynamic_map()),
    "nf4": hexadecimal(F.get_4bit_type("nf4", device="cpu")),
    "fp4": hexadecimal(F.get_4bit_type("fp4", device="cpu")),
    "cases": list(cases()),
    "scales": list(scale_cases()),
    "means": list(means()),
}
here.mkdir(exist_ok=True)
(here / "golden.json").write_text(json.dumps(result, indent=1) + "\n")
