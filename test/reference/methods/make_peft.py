"""Writes fixtures/*.json of the methods that peft has: ten losses and the logits after them, from one start.

Run with torch 2.15.0, transformers 5.23.0, peft 0.21.2 (../requirements.txt):
    python make_peft.py [NAME …]
"""

import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import peft
import torch
from common import CYCLE, STEPS, Tensors, adamw, base, run, train, write
from peft import get_peft_model

LAYERS = 2
TOKENS = sorted({token for row in CYCLE[0]["inputIds"] for token in row[:3]})
LINEAR = {"target_modules": "all-linear", "task_type": "CAUSAL_LM"}

# Suffix of a tensor in peft: our name of it, scale, offset.
PAIR = {"lora_A.weight": ("A", 0.15, 0), "lora_B.weight": ("B", 0.3, 0)}


def filled(model, names: dict) -> Tensors:
    tensors = Tensors()
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        plain = name.removeprefix("base_model.model.").replace(".default", "")
        suffix = next(suffix for suffix in names if plain.endswith(f".{suffix}"))
        ours, scale, offset = names[suffix]
        tensors.put(parameter, f"{plain.removesuffix(f'.{suffix}')}#{ours}", scale, offset)
    return tensors


def trained(model):
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def simple(method: dict, config, names: dict, buffers=lambda model, tensors: None, **options):
    """A method whose tensors all come from the formula."""

    def case(name: str) -> None:
        model = get_peft_model(base(), config(**{**LINEAR, **options})).eval()
        tensors = filled(model, names)
        buffers(model, tensors)
        write(name, "peft", {"method": method}, tensors, train(model, adamw(trained(model))))

    return case


def shared(kind: str, scales: tuple[float, float]):
    """The frozen pair that all modules read, as buffers of the model."""

    def put(model, tensors: Tensors) -> None:
        for letter, scale in zip("AB", scales, strict=True):
            buffer = getattr(model.base_model, f"{kind}_{letter}")["default"]
            # peft keeps A with an axis of one for the bases.
            flat = buffer.squeeze(1) if letter == "A" and buffer.dim() == 3 else buffer
            tensors.put(flat, f"#{letter}", scale)

    return put


def dora(name: str) -> None:
    config = peft.LoraConfig(r=4, lora_alpha=8, use_dora=True, **LINEAR)
    model = get_peft_model(base(), config).eval()
    names = {**PAIR, "lora_magnitude_vector.weight": ("m", 0.1, 1)}
    tensors = filled(model, names)
    write(name, "peft", {"method": {"type": "dora", "r": 4, "alpha": 8}}, tensors, train(model, adamw(trained(model))))


def adalora(name: str) -> None:
    """With the penalty of peft's forward, and its budget, which is divided after backward and before the update's gradients are gone."""
    method = {"type": "adalora", "r": 6, "target_r": 3, "alpha": 6, "first_steps": 2, "last_steps": 3, "interval": 2, "orthogonality": 0.5}
    config = peft.AdaLoraConfig(
        init_r=6, target_r=3, lora_alpha=6, tinit=2, tfinal=3, deltaT=2, total_step=STEPS, orth_reg_weight=0.5, **LINEAR
    )
    model = get_peft_model(base(), config).eval()
    names = {"lora_A": ("A", 0.15, 0), "lora_B": ("B", 0.15, 0), "lora_E": ("E", 0.3, 0)}
    tensors = filled(model, names)
    flatten(tensors, "E")

    def penalty():
        squares = [
            torch.linalg.matrix_norm((p @ p.T if "lora_A" in n else p.T @ p) - torch.eye(6))
            for n, p in model.named_parameters()
            if "lora_A" in n or "lora_B" in n
        ]
        return 0.5 * sum(squares) / len(squares)

    result = train(model, adamw(trained(model)), {"after": model.base_model.update_and_allocate}, penalty)
    write(name, "peft", {"method": method}, tensors, result)


def flatten(tensors: Tensors, param: str) -> None:
    """A column in peft, a vector with us."""
    for row in tensors.rows.values():
        if row["name"].endswith(f"#{param}"):
            row["shape"] = row["shape"][:1]


def oft(method: dict, **options):
    return simple({"type": "oft", **method}, peft.OFTConfig, {"oft_R.weight": ("Q", 0.1, 0)}, **options)


def vblora(name: str) -> None:
    options = {"r": 3, "num_vectors": 10, "vector_length": 12, "topk": 3}
    model = get_peft_model(base(), peft.VBLoRAConfig(**options, **LINEAR)).eval()
    bank = model.base_model.vblora_vector_bank["default"]
    names = {"vblora_logits_A": ("logitsA", 1, 0), "vblora_logits_B": ("logitsB", 1, 0), "vblora_vector_bank": ("bank", 0.3, 0)}
    tensors = filled(model, names)
    # One bank stands under the name of each module that reads it.
    for key in [key for key in tensors.rows if key.endswith("#bank")]:
        del tensors.rows[key]
    tensors.put(bank, "#bank", 0.3)
    write(name, "peft", {"method": {"type": "vblora", **options}}, tensors, train(model, adamw(trained(model))))


def pissa(name: str) -> None:
    """The start is computed on both sides: signs of singular vectors change no loss."""
    config = peft.LoraConfig(r=6, lora_alpha=12, init_lora_weights="pissa", **LINEAR)
    model = get_peft_model(base(), config).eval()
    method = {"type": "lora", "r": 6, "alpha": 12, "init": "pissa"}
    write(name, "peft", {"method": method}, Tensors(), train(model, adamw(trained(model))))


def prompt_tuning(name: str) -> None:
    config = peft.PromptTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM")
    model = get_peft_model(base(), config).eval()
    tensors = Tensors()
    tensors.put(model.prompt_encoder["default"].embedding.weight, "embedding.tokens#prompt", 0.5)
    write(name, "peft", {"method": {"type": "prompt_tuning", "num_virtual_tokens": 3}}, tensors, train(model, adamw(trained(model))))


def prefix_tuning(projected: bool):
    """peft keeps the keys and values of all layers as columns of one table, and with a projection as its rows."""

    def case(name: str) -> None:
        inner = {"prefix_projection": True, "encoder_hidden_size": 10} if projected else {}
        model = get_peft_model(base(), peft.PrefixTuningConfig(num_virtual_tokens=3, task_type="CAUSAL_LM", **inner)).eval()
        encoder = model.prompt_encoder["default"]
        tensors = Tensors()
        with torch.no_grad():
            if projected:
                down, _, up = encoder.transform
                tensors.put(encoder.embedding.weight, "#embedding", 0.5)
                tensors.put(down.weight, "#down", 0.3)
                tensors.put(down.bias, "#down_bias", 0.1)
                both = up.weight.shape[0] // LAYERS
                for layer in range(LAYERS):
                    rows = slice(layer * both, (layer + 1) * both)
                    up.weight[rows] = tensors.made(f"layers.{layer}.prefix#up", (both, 10), 0.5)
                    up.bias[rows] = tensors.made(f"layers.{layer}.prefix#up_bias", (both,), 0.1)
            else:
                width = encoder.embedding.weight.shape[1] // (2 * LAYERS)
                for part in range(2 * LAYERS):
                    ours = f"layers.{part // 2}.prefix#{('keys', 'values')[part % 2]}"
                    encoder.embedding.weight[:, part * width : (part + 1) * width] = tensors.made(ours, (3, width), 0.5)
        method = {"type": "prefix_tuning", "num_virtual_tokens": 3, **inner}
        write(name, "peft", {"method": method}, tensors, train(model, adamw(trained(model))))

    return case


def in_place(method: dict, config, **options):
    """Copies of what the model has train: they start as the model's."""

    def case(name: str) -> None:
        model = get_peft_model(base(), config(task_type="CAUSAL_LM", **options)).eval()
        write(name, "peft", {"method": method}, Tensors(), train(model, adamw(trained(model))))

    return case


CASES = {
    "prompt_tuning": prompt_tuning,
    "prefix_tuning": prefix_tuning(False),
    "prefix_tuning-projection": prefix_tuning(True),
    "norms": in_place({"type": "norms"}, peft.LNTuningConfig, target_modules=["input_layernorm", "post_attention_layernorm", "norm"]),
    "trainable_tokens": in_place(
        {"type": "trainable_tokens", "token_indices": TOKENS},
        peft.TrainableTokensConfig,
        token_indices=TOKENS,
        target_modules=["embed_tokens"],
    ),
    "pissa": pissa,
    "lora": simple({"type": "lora", "r": 4, "alpha": 8}, peft.LoraConfig, PAIR, r=4, lora_alpha=8),
    "rslora": simple({"type": "lora", "r": 4, "alpha": 8, "use_rslora": True}, peft.LoraConfig, PAIR, r=4, lora_alpha=8, use_rslora=True),
    "dora": dora,
    "vera": simple(
        {"type": "vera", "r": 8},
        peft.VeraConfig,
        {"vera_lambda_b": ("b", 0.3, 0), "vera_lambda_d": ("d", 0.1, 0.1)},
        shared("vera", (0.3, 0.5)),
        r=8,
    ),
    "vblora": vblora,
    "randlora": simple(
        {"type": "randlora", "r": 10, "alpha": 20},
        peft.RandLoraConfig,
        {"randlora_lambda": ("lambda", 0.1, 0), "randlora_gamma": ("gamma", 0.05, 0.1)},
        shared("randlora", (1.7, 1.7)),
        r=10,
        randlora_alpha=20,
    ),
    "miss": simple({"type": "miss", "r": 10}, peft.MissConfig, {"miss_block": ("M", 0.05, 0)}, r=10),
    "miss-bat": simple(
        {"type": "miss", "r": 4, "mode": "bat"}, peft.MissConfig, {"miss_block": ("M", 0.05, 0)}, r=4, init_weights="bat"
    ),
    "miss-mini": simple(
        {"type": "miss", "r": 10, "mini_r": 4}, peft.MissConfig, {"miss_block": ("M", 0.05, 0)}, r=10, init_weights="mini", mini_r=4
    ),
    "lokr": simple(
        {"type": "lokr", "r": 2, "alpha": 4},
        peft.LoKrConfig,
        {"lokr_w1": ("w1", 0.3, 0), "lokr_w2_a": ("w2_a", 0.3, 0), "lokr_w2_b": ("w2_b", 0.3, 0)},
        r=2,
        alpha=4,
    ),
    "lokr-whole": simple(
        {"type": "lokr", "r": 8, "alpha": 8},
        peft.LoKrConfig,
        {"lokr_w1": ("w1", 0.3, 0), "lokr_w2": ("w2", 0.3, 0)},
        r=8,
        alpha=8,
    ),
    "hira": simple(
        {"type": "hira", "r": 4}, peft.HiraConfig, {"hira_A": ("A", 0.3, 0), "hira_B": ("B", 0.3, 0)}, r=4
    ),
    "oft": oft({"block_size": 12}, oft_block_size=12),
    "oft-exact": oft({"block_size": 10, "use_cayley_neumann": False}, oft_block_size=10, use_cayley_neumann=False),
    "oft-shared": oft(
        {"block_size": 8, "block_share": True, "num_cayley_neumann_terms": 3},
        **{"oft_block_size": 8, "block_share": True, "num_cayley_neumann_terms": 3},
    ),
    "oft-constrained": oft({"block_size": 12, "coft": True, "eps": 0.4}, oft_block_size=12, coft=True, eps=0.4),
    "lokr-factor": simple(
        {"type": "lokr", "r": 4, "alpha": 8, "factor": 2},
        peft.LoKrConfig,
        {"lokr_w1": ("w1", 0.3, 0), "lokr_w2_a": ("w2_a", 0.2, 0), "lokr_w2_b": ("w2_b", 0.2, 0)},
        r=4,
        alpha=8,
        decompose_factor=2,
    ),
    "ia3": simple(
        {"type": "ia3"},
        peft.IA3Config,
        {"ia3_l": ("l", 0.2, 1)},
        feedforward_modules=["down_proj"],
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    ),
    "adalora": adalora,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(CASES)
