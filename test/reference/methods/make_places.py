"""Writes fixtures/*.json of methods at parts of a layer and beside the model: PyTorch statements of their papers' formulas.

Run with torch 2.15.0, transformers 5.23.0 (../requirements.txt):
    python make_places.py [NAME …]
"""

import copy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from common import CONFIG, Tensors, adamw, base, run, train, write
from transformers import AutoConfig
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

SCALES = {"A": 0.15, "B": 0.1}


class Own:
    """The tensors that train, by our names."""

    def __init__(self, tensors: Tensors):
        self.tensors, self.all = tensors, {}

    def made(self, name: str, shape, scale: float, offset: float = 0.0) -> torch.nn.Parameter:
        return self.keep(name, torch.nn.Parameter(self.tensors.made(name, shape, scale, offset)))

    def keep(self, name: str, parameter: torch.nn.Parameter) -> torch.nn.Parameter:
        self.all[name] = parameter
        return parameter


def placed(method: dict, change):
    def case(name: str) -> None:
        model = base()
        model.requires_grad_(False)
        tensors = Tensors()
        own = Own(tensors)
        penalty = change(model, own)
        write(name, "formulas", {"method": method}, tensors, train(model, adamw(own.all.values()), penalty=penalty))

    return case


def bottleneck(parallel: bool, r=6, factor=0.7):
    """y + scale (φ(u downᵀ + down_bias) upᵀ + up_bias) of a part's result y, u being y or the part's input."""

    def at(module, name: str, own: Own, width: int) -> None:
        down = own.made(f"{name}#down", (r, width), 0.3)
        down_bias = own.made(f"{name}#down_bias", (r,), 0.1)
        up = own.made(f"{name}#up", (width, r), 0.3)
        up_bias = own.made(f"{name}#up_bias", (width,), 0.1)

        def after(_, args, kwargs, result):
            whole = result[0] if isinstance(result, tuple) else result
            u = (args[0] if args else kwargs["hidden_states"]) if parallel else whole
            inner = torch.nn.functional.gelu(u @ down.T + down_bias)
            changed = whole + factor * (inner @ up.T + up_bias)
            return (changed, *result[1:]) if isinstance(result, tuple) else changed

        module.register_forward_hook(after, with_kwargs=True)

    def change(model, own: Own) -> None:
        for index, layer in enumerate(model.model.layers):
            at(layer.mlp, f"layers.{index}.mlp", own, model.config.hidden_size)
            if not parallel:
                at(layer.self_attn, f"layers.{index}.attention", own, model.config.hidden_size)

    return change


def mixlora(model, own: Own, r=3, alpha=6, experts=4, top=2, coefficient=0.5):
    """Each expert computed whole; the balance loss of each layer over the tokens that are no padding."""
    balance, real = [], {}

    def remember(_, args, kwargs):
        balance.clear()
        real["mask"] = kwargs["attention_mask"].flatten().bool()

    model.register_forward_pre_hook(remember, with_kwargs=True)
    for index, layer in enumerate(model.model.layers):
        mlp, name = layer.mlp, f"layers.{index}.mlp"
        router = own.made(f"{name}#router", (experts, model.config.hidden_size), 0.5)
        factors = {}
        for kind in ("gate_proj", "up_proj", "down_proj"):
            m, n = getattr(mlp, kind).weight.shape
            A = own.made(f"{name}#mlp.{kind}.A", (experts * r, n), SCALES["A"])
            B = own.made(f"{name}#mlp.{kind}.B", (m, experts * r), SCALES["B"])
            factors[kind] = (A, B)

        def forward(x, mlp=mlp, router=router, factors=factors):
            rows = x.flatten(0, 1)

            def linear(kind, h, e):
                A, B = factors[kind]
                part = slice(e * r, (e + 1) * r)
                return getattr(mlp, kind)(h) + alpha / r * h @ A[part].T @ B[:, part].T

            probabilities = (rows @ router.T).softmax(1)
            best = probabilities.topk(top, 1)
            weights = torch.zeros_like(probabilities).scatter(1, best.indices, best.values / best.values.sum(1, keepdim=True))
            total = 0
            for e in range(experts):
                h = mlp.act_fn(linear("gate_proj", rows, e)) * linear("up_proj", rows, e)
                total = total + weights[:, e : e + 1] * linear("down_proj", h, e)
            mask = real["mask"]
            taken = (weights > 0)[mask].float().mean(0)
            balance.append(coefficient * experts * (taken * probabilities[mask].mean(0)).sum())
            return total.reshape(x.shape)

        mlp.forward = forward
    return lambda: sum(balance)


def lst(model, own: Own, temperature=0.1):
    """Half the heads and half the width beside each layer; the head reads the ladder alone."""
    narrow_config = {**copy.deepcopy(CONFIG), "hidden_size": 24, "intermediate_size": 48, "num_attention_heads": 2, "num_key_value_heads": 1}
    narrow_config = AutoConfig.for_model(**narrow_config)
    narrow_config._attn_implementation = "eager"
    hidden, narrow = model.config.hidden_size, 24
    model.config.use_cache = False
    enter = own.made("embedding.side#down", (narrow, hidden), 0.3)
    leave = own.made("head.side#up", (hidden, narrow), 0.5)
    state = {}

    def begin(_, __, result):
        state["z"] = result @ enter.T

    model.model.embed_tokens.register_forward_hook(begin)
    for index, layer in enumerate(model.model.layers):
        side = LlamaDecoderLayer(narrow_config, index).float().eval()
        place = f"layers.{index}.side"
        down = own.made(f"{place}#down", (narrow, hidden), 0.3)
        gate = own.made(f"{place}#gate", (1,), 0.05)
        for key, parameter in side.named_parameters():
            norm = "layernorm" in key
            name = f"{place}#{key}"
            own.tensors.put(parameter, name, 0.2 if norm else 0.3, 1 if norm else 0)
            own.keep(name, parameter)

        def after(_, args, kwargs, result, side=side, down=down, gate=gate):
            h = result[0] if isinstance(result, tuple) else result
            g = torch.sigmoid(gate / temperature)
            z = side(g * state["z"] + (1 - g) * h @ down.T, **kwargs)
            state["z"] = z[0] if isinstance(z, tuple) else z

        layer.register_forward_hook(after, with_kwargs=True)
    model.model.norm.register_forward_pre_hook(lambda *_: (state["z"] @ leave.T,))


CASES = {
    "bottleneck": placed({"type": "bottleneck", "r": 6, "scale": 0.7}, bottleneck(False)),
    "bottleneck-parallel": placed(
        {"type": "bottleneck", "r": 6, "scale": 0.7, "parts": "mlp", "form": "parallel"}, bottleneck(True)
    ),
    "mixlora": placed(
        {"type": "mixlora", "r": 3, "alpha": 6, "num_experts": 4, "top_k": 2, "router_aux_loss_coef": 0.5}, mixlora
    ),
    "lst": placed({"type": "lst", "reduction": 2}, lst),
}

if __name__ == "__main__":
    run(CASES)
