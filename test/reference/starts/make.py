"""Writes fixtures/starts.json: how peft starts EVA, CorDA and LoRA-GA on two small layers.

Run from the repository's root with the packages of test/reference/requirements.txt:
    python test/reference/starts/make.py
"""

import dataclasses
import json
import sys
import types
from pathlib import Path

if "attr" not in sys.modules:
    # peft's CorDA takes `dataclass` from attrs without requiring it; the standard one serves as well.
    sys.modules["attr"] = types.ModuleType("attr")
    sys.modules["attr"].dataclass = dataclasses.dataclass

import peft
import torch
from peft import EvaConfig, LoraConfig, get_peft_model
from peft.tuners.lora.config import CordaConfig, LoraGAConfig
from peft.tuners.lora.corda import preprocess_corda
from peft.tuners.lora.eva import get_eva_state_dict, initialize_lora_eva_weights
from peft.tuners.lora.loraga import preprocess_loraga

SAMPLES, TOKENS, WIDTH, OUT, RANK, ALPHA = 3, 10, 12, 10, 3, 6


class Layers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(WIDTH, WIDTH, bias=False)
        self.second = torch.nn.Linear(WIDTH, OUT, bias=False)

    def forward(self, x):
        return self.second(torch.tanh(self.first(x)) * self.spread)


def layers():
    torch.manual_seed(5)
    model = Layers()
    # Inputs whose directions differ in size, so that their order is no matter of rounding.
    model.spread = torch.linspace(2.0, 0.2, WIDTH)
    return model


torch.manual_seed(3)
x = torch.randn(SAMPLES, TOKENS, WIDTH) * torch.linspace(1.5, 0.1, WIDTH)
target = torch.randn(SAMPLES, TOKENS, OUT)
NAMES = ["first", "second"]


def numbers(tensor):
    return [float(f"{value:.9g}") for value in tensor.detach().double().flatten().tolist()]


def config(**more):
    return LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=NAMES, lora_dropout=0.0, **more)


def pairs(model):
    base = model.base_model.model
    found = {}
    for name in NAMES:
        layer = getattr(base, name)
        found[name] = {
            "A": numbers(layer.lora_A["default"].weight),
            "B": numbers(layer.lora_B["default"].weight),
            "base": numbers(layer.base_layer.weight),
            "scale": layer.scaling["default"],
        }
    return found


def corda(method):
    model = layers()
    choice = config(init_lora_weights="corda", corda_config=CordaConfig(corda_method=method))

    def run():
        with torch.no_grad():
            for sample in x:
                model(sample[None])

    preprocess_corda(model, choice, run_model=run)
    return pairs(get_peft_model(model, choice))


def lora_ga(direction, scale):
    model = layers()
    choice = config(
        init_lora_weights="lora_ga",
        lora_ga_config=LoraGAConfig(direction=direction, scale=scale, stable_gamma=16),
    )

    def step():
        for sample, wanted in zip(x, target):
            torch.nn.functional.mse_loss(model(sample[None])[0], wanted).backward()

    preprocess_loraga(model, choice, step)
    gradients = {name: numbers(getattr(model, name)._peft_loraga_grad) for name in NAMES}
    return gradients, pairs(get_peft_model(model, choice))


def eva(rho, whiten):
    model = get_peft_model(
        layers(),
        config(init_lora_weights="eva", eva_config=EvaConfig(rho=rho, whiten=whiten)),
    )
    data = [{"x": x}]

    def forward(network, inputs):
        return network(inputs["x"])

    state = get_eva_state_dict(
        model,
        data,
        forward_fn=forward,
        prepare_model_inputs_fn=None,
        prepare_layer_inputs_fn=None,
        show_progress_bar=False,
    )
    initialize_lora_eva_weights(
        model,
        eva_state_dict=state,
    )
    base = model.base_model.model
    found = {}
    for name in NAMES:
        layer = getattr(base, name)
        if not hasattr(layer, "lora_A"):
            found[name] = {"rank": 0}
            continue
        A = layer.lora_A["default"].weight
        found[name] = {"rank": A.shape[0], "A": numbers(A), "scale": layer.scaling["default"]}
    chosen = model.peft_config["default"]
    return {
        "rho": rho,
        "whiten": whiten,
        "sites": found,
        "rank_pattern": chosen.rank_pattern,
        "alpha_pattern": chosen.alpha_pattern,
    }


model = layers()
gradients, _ = lora_ga("ArB2r", "stable")
result = {
    "versions": {"peft": peft.__version__, "torch": torch.__version__.split("+")[0]},
    "sizes": {"samples": SAMPLES, "tokens": TOKENS, "rank": RANK, "alpha": ALPHA},
    "sites": {
        "first": {"in": WIDTH, "out": WIDTH, "W": numbers(model.first.weight), "x": numbers(x)},
        "second": {
            "in": WIDTH,
            "out": OUT,
            "W": numbers(model.second.weight),
            "x": numbers(torch.tanh(model.first(x)) * model.spread),
        },
    },
    "gradients": gradients,
    "corda": {method: corda(method) for method in ["ipm", "kpm"]},
    "loraGa": [
        {"direction": direction, "scale": scale, "pairs": lora_ga(direction, scale)[1]}
        for direction, scale in [
            ("ArB2r", "stable"),
            ("ArBr", "unit"),
            ("A2rBr", "gd_scale"),
            ("ArB2r", "weight_svd"),
        ]
    ],
    "eva": [eva(1.0, False), eva(2.0, False), eva(2.0, True)],
}
path = Path(__file__).parent / "fixtures" / "starts.json"
path.write_text(json.dumps(result) + "\n")
print(path, path.stat().st_size)
