"""Writes fixtures/*.json: what PyTorch, transformers, peft and bitsandbytes make of small models.

Run with the packages of ../requirements.txt:
    python make.py [NAME …]
"""

import copy
import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")

import bitsandbytes.functional as bnb
import numpy as np
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification
from transformers.pytorch_utils import Conv1D
from transformers.trainer_pt_utils import get_parameter_names

from cases import CAUSAL, CLASSIFIERS, batches, whole_numbers
from deterministic import fill, rule

FOLDER = Path(__file__).parent / "fixtures"
PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "numpy")
OPTIMIZER = {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}
CLIP = 1.0
STEPS = 10
# The parameters that transformers' Trainer spares from weight decay, beside those of nn.LayerNorm.
SPARED = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]


# --- models ---------------------------------------------------------------------------------------


def build(config: dict):
    """The model in transformers' own class, weights from the formula, in evaluation mode (no dropout)."""
    kind = AutoModelForCausalLM if task_of(config) == "causal-lm" else AutoModelForSequenceClassification
    settings = AutoConfig.for_model(**copy.deepcopy(config))
    model = kind.from_config(settings, attn_implementation="eager", dtype=torch.float32)
    transposed = conv1d_weights(model)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale, offset = rule(name, parameter.shape, name in transposed)
            parameter.copy_(torch.from_numpy(fill(name, parameter.shape, scale, offset)))
    return model.eval()


def task_of(config: dict) -> str:
    return "causal-lm" if config["architectures"][0].endswith(("CausalLM", "LMHeadModel")) else "sequence-classification"


def conv1d_weights(model) -> set[str]:
    return {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, Conv1D)}


def saved(model) -> tuple[dict, dict]:
    """config.json as these versions write it, and the shapes of the tensors in the checkpoint."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(f"{folder}/model.safetensors", "pt") as file:
            shapes = {name: list(file.get_slice(name).get_shape()) for name in sorted(file.keys())}
        return json.loads(Path(folder, "config.json").read_text()), shapes


def tensors_of(model, shapes: dict) -> list[dict]:
    transposed = conv1d_weights(model)
    known = dict(model.named_parameters())
    decaying = set(get_parameter_names(model, [torch.nn.LayerNorm], SPARED))
    assert set(known) == set(shapes), set(known) ^ set(shapes)
    rows = []
    for name, shape in shapes.items():
        scale, offset = rule(name, shape, name in transposed)
        assert np.array_equal(known[name].detach().numpy(), fill(name, shape, scale, offset)), name
        rows.append({"name": name, "shape": shape, "scale": scale, "offset": offset, "decays": name in decaying})
    return rows


# --- measurements ---------------------------------------------------------------------------------


def feeds(batch: dict) -> dict:
    names = {"inputIds": "input_ids", "attentionMask": "attention_mask", "tokenTypeIds": "token_type_ids", "labels": "labels"}
    return {names[key]: torch.tensor(value) for key, value in batch.items()}


def numbers(values) -> list:
    """A tensor as nested lists, nine significant digits."""
    if values.dim() > 1:
        return [numbers(row) for row in values]
    return [number(value) for value in values.tolist()]


def number(value: float) -> float:
    return float(f"{value:.9g}")


def forward(model, batch: dict) -> dict:
    """Logits of the tokens that are none of padding (of every sequence, for a classifier), and the loss."""
    with torch.no_grad():
        output = model(**feeds(batch))
    if output.logits.dim() == 2:
        return {"logits": numbers(output.logits), "loss": number(output.loss.item())}
    lengths = [sum(row) for row in batch["attentionMask"]]
    rows = [numbers(logits[:n]) for logits, n in zip(output.logits, lengths, strict=True)]
    return {"logits": rows, "loss": number(output.loss.item())}


def gradients(model, batch: dict, trained: dict) -> dict:
    model.zero_grad()
    model(**feeds(batch)).loss.backward()
    rows = [{"name": name, **summary(parameter.grad)} for name, parameter in sorted(trained.items())]
    total = sum(parameter.grad.double().square().sum().item() for parameter in trained.values()) ** 0.5
    model.zero_grad()
    return {"norm": number(total), "parameters": rows}


def summary(tensor) -> dict:
    """Norm, sum, and eight elements: the four of largest size and four anywhere (row-major indices)."""
    flat = tensor.detach().double().flatten()
    largest = flat.abs().argsort(descending=True, stable=True)[:4].tolist()
    anywhere = whole_numbers(f"samples/{tuple(tensor.shape)}", 4, 0, flat.numel())
    places = sorted(set(largest + anywhere))
    return {
        "norm": number(flat.norm().item()),
        "sum": number(flat.sum().item()),
        "indices": places,
        "values": [number(flat[place].item()) for place in places],
    }


def train(model, cycle: list[dict], trained: dict) -> dict:
    """Ten steps of AdamW on the batches in turn; losses before each update, norms before clipping."""
    spared = {name for name, _ in model.named_parameters()} - set(get_parameter_names(model, [torch.nn.LayerNorm], SPARED))
    spared_ids = {id(parameter) for name, parameter in model.named_parameters() if name in spared}
    groups = [
        {"params": [p for p in trained.values() if id(p) not in spared_ids]},
        {"params": [p for p in trained.values() if id(p) in spared_ids], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW([group for group in groups if group["params"]], **OPTIMIZER, foreach=False)
    losses, norms = [], []
    for step in range(STEPS):
        loss = model(**feeds(cycle[step % len(cycle)])).loss
        loss.backward()
        norms.append(number(torch.nn.utils.clip_grad_norm_(list(trained.values()), CLIP).item()))
        losses.append(number(loss.item()))
        optimizer.step()
        optimizer.zero_grad()
    return {"losses": losses, "gradientNorms": norms}


# --- adapters -------------------------------------------------------------------------------------


def adapter(config: dict, base=None, **options):
    """A peft model with rank 4 on all linear layers; both factors from the formula, under their saved names."""
    base = base or build(config)
    task = "CAUSAL_LM" if task_of(config) == "causal-lm" else "SEQ_CLS"
    is_conv = bool(conv1d_weights(base))
    settings = LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.0, target_modules="all-linear", task_type=task, fan_in_fan_out=is_conv, **options
    )
    model = get_peft_model(base, settings).eval()
    trained = {saved_name(name): p for name, p in model.named_parameters() if p.requires_grad}
    state = get_peft_model_state_dict(model)
    assert set(state) == set(trained), set(state) ^ set(trained)
    rows = []
    with torch.no_grad():
        for name, parameter in sorted(trained.items()):
            row = {"name": name, "shape": list(parameter.shape)}
            if "lora_" in name:
                scale, offset = rule(name, parameter.shape)
                parameter.copy_(torch.from_numpy(fill(name, parameter.shape, scale, offset)))
            else:
                # A head trained whole starts as the base's.
                row["seedName"] = name.removeprefix("base_model.model.")
                scale, offset = rule(row["seedName"], parameter.shape)
                assert np.array_equal(parameter.numpy(), fill(row["seedName"], parameter.shape, scale, offset)), name
            rows.append({**row, "scale": scale, "offset": offset})
    return model, trained, rows


def saved_name(name: str) -> str:
    return name.replace(".modules_to_save.default", "").replace(".default", "")


def adapter_config(model) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        config = json.loads(Path(folder, "adapter_config.json").read_text())
    # A set in Python: its order is chance.
    config["target_modules"] = sorted(config["target_modules"])
    return config


def lora(config: dict, cycle: list[dict], base=None) -> dict:
    make = (lambda **options: adapter(config, base(), **options)) if base else (lambda **options: adapter(config, **options))
    model, trained, rows = make()
    sites = sorted(
        name.removeprefix("base_model.model.") for name, module in model.named_modules() if hasattr(module, "lora_A")
    )
    result = {
        "config": adapter_config(model),
        "sites": sites,
        "tensors": rows,
        "forward": forward(model, cycle[0]),
        "gradients": gradients(model, cycle[0], trained),
        "training": train(model, cycle, trained),
    }
    model, trained, _ = make(use_rslora=True)
    return {**result, "trainingRsLora": train(model, cycle, trained)}


# --- NF4 ------------------------------------------------------------------------------------------


def quantized(config: dict) -> tuple:
    """The base with each linear layer but the head replaced by its NF4 value, double quantization; what was done."""
    model = build(config)
    rows = []
    with torch.no_grad():
        for name, module in model.named_modules():
            if not isinstance(module, torch.nn.Linear) or name == "lm_head":
                continue
            # Flat: on the CPU bitsandbytes 0.50.2 gives a row its first block's scale throughout where rows are no
            # whole number of blocks, other than on a GPU.
            packed, state = bnb.quantize_4bit(
                module.weight.data.flatten(), blocksize=64, compress_statistics=True, quant_type="nf4"
            )
            module.weight.copy_(bnb.dequantize_4bit(packed, state).reshape(module.weight.shape))
            rows.append({"name": f"{name}.weight", **summary(module.weight)})
    return model, rows


# --- generation and packing -----------------------------------------------------------------------


def generation(config: dict, name: str, count: int = 20) -> list[dict]:
    model = build(config)
    model.generation_config.eos_token_id = None
    results = []
    for index, length in enumerate((4, 7)):
        prompt = whole_numbers(f"{name}/prompt/{index}", length, 3, config["vocab_size"])
        output = model.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, length, dtype=torch.long),
            max_new_tokens=count,
            do_sample=False,
            pad_token_id=0,
            output_logits=True,
            return_dict_in_generate=True,
        )
        # How far the best token leads: below the tolerance of the logits the ids would be chance.
        margin = min((pair[0] - pair[1]).item() for logits in output.logits for pair in logits.topk(2).values)
        assert margin > 2e-3, margin
        results.append({"prompt": prompt, "ids": output.sequences[0, length:].tolist(), "margin": number(margin)})
    return results


def packing(config: dict, name: str) -> dict:
    """Three documents in one row: positions start again, attention stays within a document."""
    model = build(config)
    documents = [whole_numbers(f"{name}/document/{row}", n, 3, config["vocab_size"]) for row, n in enumerate((6, 9, 4))]
    ids = [token for document in documents for token in document]
    positions = [place for document in documents for place in range(len(document))]
    labels = [token if place else -100 for document in documents for place, token in enumerate(document)]
    output = model(input_ids=torch.tensor([ids]), position_ids=torch.tensor([positions]), labels=torch.tensor([labels]), use_cache=False)
    output.loss.backward()
    norm = sum(p.grad.double().square().sum().item() for p in model.parameters()) ** 0.5
    with torch.no_grad():
        apart = torch.cat([model(input_ids=torch.tensor([document])).logits[0] for document in documents])
    assert torch.allclose(output.logits[0], apart, atol=1e-5), (output.logits[0] - apart).abs().max()
    return {
        "documents": documents,
        "inputIds": [ids],
        "positionIds": [positions],
        "labels": [labels],
        "logits": numbers(output.logits.detach()),
        "loss": number(output.loss.item()),
        "gradientNorm": number(norm),
    }


# --- the fixtures ---------------------------------------------------------------------------------


def fixture(name: str, config: dict) -> dict:
    task = task_of(config)
    cycle = batches(name, config, task)
    model = build(config)
    as_saved, shapes = saved(model)
    trained = dict(model.named_parameters())
    result = {
        **head(name, task, config, as_saved, tensors_of(model, shapes), cycle),
        "forward": forward(model, cycle[0]),
        "full": {"gradients": gradients(model, cycle[0], trained), "training": train(model, cycle, trained)},
        "lora": lora(config, cycle),
    }
    if name in ("llama", "gpt2"):
        result["generation"] = generation(config, name)
    if name == "llama":
        result["packing"] = packing(config, name)
    return result


def nf4_fixture() -> dict:
    config, task = CAUSAL["llama"], "causal-lm"
    cycle = batches("llama", config, task)
    model, rows = quantized(config)
    as_saved, shapes = saved(build(config))
    return {
        **head("llama-nf4", task, config, as_saved, tensors_of(build(config), shapes), cycle),
        "quantized": rows,
        "forward": forward(model, cycle[0]),
        "lora": lora(config, cycle, base=lambda: quantized(config)[0]),
    }


def head(name: str, task: str, config: dict, as_saved: dict, tensors: list, cycle: list) -> dict:
    return {
        "name": name,
        "task": task,
        "versions": {package: version(package) for package in PACKAGES},
        "config": config,
        "configAsSaved": as_saved,
        "optimizer": {
            "learningRate": OPTIMIZER["lr"],
            "betas": OPTIMIZER["betas"],
            "eps": OPTIMIZER["eps"],
            "weightDecay": OPTIMIZER["weight_decay"],
            "maxGradNorm": CLIP,
        },
        "tensors": tensors,
        "batches": cycle,
    }


def write(name: str, result: dict) -> None:
    """One line for each field, and for each element of a list of objects."""

    def compact(value) -> str:
        return json.dumps(value, separators=(",", ":"))

    def line(value) -> str:
        if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
            return "[\n" + ",\n".join(compact(element) for element in value) + "\n]"
        return compact(value)

    text = "{\n" + ",\n".join(f"{json.dumps(key)}:{line(value)}" for key, value in result.items()) + "\n}\n"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(text)
    print(f"{name:24} {len(text) / 1000:6.1f} kB")


def main() -> None:
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True)
    chosen = sys.argv[1:]
    for name, config in {**CAUSAL, **CLASSIFIERS}.items():
        if not chosen or name in chosen:
            write(name, fixture(name, config))
    if not chosen or "llama-nf4" in chosen:
        write("llama-nf4", nf4_fixture())


if __name__ == "__main__":
    main()
