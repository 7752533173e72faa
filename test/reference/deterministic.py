"""Weights from a formula, so that none need committing; `deterministic.ts` gives the same bits.

Element i of the tensor `name`, with all arithmetic exact in float32 but the last rounding:
    u = splitmix64(fnv1a64(utf8(name)) + i + 1) >> 40          24 bits
    v = u / 2^23 - 1                                           in [-1, 1)
    value = float32(offset + float32(scale * v))

Scale and offset follow from the name and the shape (`rule`); fixtures carry them beside each tensor:
    norm weights        offset 1, scale 0.1
    biases              scale 0.05
    embeddings          scale 0.5
    matrices            scale 1.7 / sqrt(in), so that signals keep their size
    LoRA A, B           scale 1 / sqrt(in) and 0.3: neither is zero, so that both get gradients

Run as a script it writes fixtures/deterministic.json, which the twin is tested against.
"""

import json
import math
from pathlib import Path

import numpy as np

MASK = (1 << 64) - 1
EMBEDDINGS = ("embed_tokens.weight", "_embeddings.weight", "wte.weight", "wpe.weight")
NORMS = ("norm", "ln_1", "ln_2", "ln_f")


def fnv1a64(text: str) -> int:
    state = 0xCBF29CE484222325
    for byte in text.encode("utf8"):
        state = ((state ^ byte) * 0x100000001B3) & MASK
    return state


def splitmix64(x: np.ndarray) -> np.ndarray:
    """One output of the generator for each state x (uint64, wrapping)."""
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def fill(name: str, shape, scale: float, offset: float) -> np.ndarray:
    count = math.prod(shape)
    first = np.uint64((fnv1a64(name) + 1) & MASK)
    bits = splitmix64(first + np.arange(count, dtype=np.uint64)) >> np.uint64(40)
    unit = bits.astype(np.float32) * np.float32(2.0**-23) - np.float32(1)
    return (np.float32(offset) + np.float32(scale) * unit).astype(np.float32).reshape(shape)


def rule(name: str, shape, transposed: bool = False) -> tuple[float, float]:
    """(scale, offset) of a tensor; `transposed` for GPT-2's Conv1D matrices, which are [in, out]."""
    lower = name.lower()
    if "lora_embedding_a" in lower:
        return rounded(0.5), 0.0
    if "lora_a" in lower:
        return rounded(1 / math.sqrt(shape[-1])), 0.0
    if "lora_b" in lower or "lora_embedding_b" in lower:
        return rounded(0.3), 0.0
    if "lora_magnitude" in lower:
        return rounded(0.1), 1.0
    if len(shape) == 1:
        if lower.endswith("weight") and any(word in lower for word in NORMS):
            return rounded(0.1), 1.0
        return rounded(0.05), 0.0
    if lower.endswith(EMBEDDINGS):
        return rounded(0.5), 0.0
    return rounded(1.7 / math.sqrt(shape[0] if transposed else shape[-1])), 0.0


def rounded(value: float) -> float:
    """The nearest float32 with nine digits, which name it uniquely."""
    return float(f"{np.float32(value):.9g}")


if __name__ == "__main__":
    cases = []
    for name, shape, offset in (("model.norm.weight", [8], 1.0), ("lm_head.weight", [5, 7], 0.0), ("", [3], 0.0), ("Größe 数", [4], 0.0)):
        scale = rounded(0.1) if offset else rounded(1.7 / math.sqrt(shape[-1]))
        values = fill(name, shape, scale, offset).ravel()
        cases.append({"name": name, "shape": shape, "scale": scale, "offset": offset, "values": [float(f"{x:.9g}") for x in values]})
    far = fill("far", [200000], 1.0, 0.0)
    cases_far = {"name": "far", "shape": [200000], "last": [float(f"{x:.9g}") for x in far[-4:]], "sum": float(far.astype(np.float64).sum())}
    path = Path(__file__).parent / "fixtures" / "deterministic.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"cases": cases, "far": cases_far}, ensure_ascii=False, indent=1) + "\n")
