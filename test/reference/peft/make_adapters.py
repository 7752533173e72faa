"""Writes fixtures/*.json: adapters as peft saves them, and what peft makes of them when it loads them again.

Run with the packages of ../requirements.txt:
    python make_adapters.py [NAME …]
It also writes lora-config-fields.json: every field of peft's LoraConfig with its default.
"""

import dataclasses
import json
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE.parent / "models"))

import peft
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors import safe_open
from safetensors.torch import save_file

import make
from cases import CAUSAL, CLASSIFIERS, batch as make_batch
from deterministic import fill, rule

BASES = {**CAUSAL, **CLASSIFIERS}
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]

# name: (base, fields whose value goes beyond plain LoRA, options of LoraConfig)
CASES = {
    "default-targets": ("llama", [], {"r": 8, "lora_alpha": 16}),
    "all-linear": ("llama", [], {"r": 4, "lora_alpha": 8, "target_modules": "all-linear"}),
    "rslora": ("llama", ["use_rslora"], {"r": 9, "lora_alpha": 6, "use_rslora": True, "target_modules": ALL}),
    "patterns": (
        "llama",
        ["rank_pattern", "alpha_pattern"],
        {
            "r": 4,
            "lora_alpha": 8,
            "target_modules": ALL,
            "rank_pattern": {"k_proj": 2, r"model\.layers\.1\.mlp\..*": 6, "layers.0.self_attn.v_proj": 3},
            "alpha_pattern": {"q_proj": 20, "^model.layers.0.mlp.up_proj": 1},
        },
    ),
    "patterns-rslora": (
        "llama",
        ["rank_pattern", "use_rslora"],
        {"r": 4, "lora_alpha": 8, "use_rslora": True, "target_modules": ["q_proj", "v_proj"], "rank_pattern": {"v_proj": 9}},
    ),
    "bias-all": ("llama-biases", ["bias"], {"r": 4, "bias": "all", "target_modules": ["q_proj", "up_proj"]}),
    "bias-lora-only": ("llama-biases", ["bias"], {"r": 4, "bias": "lora_only", "target_modules": ["q_proj", "up_proj"]}),
    "bias-all-qwen2": ("qwen2", ["bias"], {"r": 4, "bias": "all", "target_modules": ["o_proj"]}),
    "regex-targets": (
        "llama",
        [],
        {"r": 4, "target_modules": r"model\.layers\.1\.(self_attn\.(q|k)_proj|mlp\.down_proj)"},
    ),
    "path-targets": ("llama", [], {"r": 4, "target_modules": ["0.mlp.up_proj", "model.layers.1.self_attn.o_proj"]}),
    "exclude-list": ("llama", ["exclude_modules"], {"r": 4, "target_modules": ALL, "exclude_modules": ["k_proj", "layers.0.mlp.up_proj"]}),
    "exclude-regex": ("llama", ["exclude_modules"], {"r": 4, "target_modules": ALL, "exclude_modules": r".*\.0\..*_proj"}),
    "layers-list": ("llama", ["layers_to_transform"], {"r": 4, "target_modules": ALL, "layers_to_transform": [1]}),
    "layers-number": (
        "llama",
        ["layers_to_transform", "layers_pattern"],
        {"r": 4, "target_modules": ["q_proj"], "layers_to_transform": 0, "layers_pattern": "layers"},
    ),
    "save-lm-head": ("llama", ["modules_to_save"], {"r": 4, "target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}),
    "save-embedding-and-norms": (
        "llama",
        ["modules_to_save"],
        {"r": 4, "target_modules": ["q_proj"], "modules_to_save": ["embed_tokens", "input_layernorm", "norm"]},
    ),
    "target-lm-head": ("llama", [], {"r": 4, "target_modules": ["q_proj", "lm_head"]}),
    "target-lm-head-tied": ("llama-tied", [], {"r": 4, "target_modules": ["q_proj", "lm_head"]}),
    "target-embedding": ("llama", [], {"r": 4, "target_modules": ["q_proj", "embed_tokens"]}),
    "target-embedding-tied": ("llama-tied", [], {"r": 4, "target_modules": ["q_proj", "embed_tokens"]}),
    "mistral": ("mistral", [], {"r": 4, "target_modules": "all-linear"}),
    "qwen3": ("qwen3", [], {"r": 4, "target_modules": "all-linear"}),
    "gpt2": ("gpt2", ["fan_in_fan_out"], {"r": 4, "target_modules": "all-linear", "fan_in_fan_out": True}),
    "gpt2-default-targets": ("gpt2", ["fan_in_fan_out"], {"r": 4}),
    # As it is found in the wild: peft corrects the field when it loads.
    "gpt2-fan-in-unset": ("gpt2", [], {"r": 4, "target_modules": ["c_proj"], "saved": {"fan_in_fan_out": False}}),
    "gpt2-bias-lora-only": ("gpt2", ["fan_in_fan_out", "bias"], {"r": 4, "target_modules": ["c_attn"], "bias": "lora_only", "fan_in_fan_out": True}),
    "bert-head": ("bert-classes", ["modules_to_save"], {"r": 4}),
    # Biases of the head are saved under three names.
    "bert-bias-all": ("bert-classes", ["bias", "modules_to_save"], {"r": 4, "target_modules": ["query"], "bias": "all"}),
    "bert-pairs-regression": ("bert-pairs-regression", ["modules_to_save"], {"r": 4, "target_modules": "all-linear"}),
    "bert-pooler-saved": (
        "bert-classes",
        ["modules_to_save"],
        {"r": 4, "target_modules": ["query", "value"], "modules_to_save": ["classifier", "bert.pooler.dense"]},
    ),
    "roberta-head": ("roberta-classes", ["modules_to_save"], {"r": 4, "lora_alpha": 8}),
    "dropout-has-no-effect": ("llama", [], {"r": 4, "lora_dropout": 0.5, "target_modules": ["q_proj"]}),
    "init-gaussian": ("llama", [], {"r": 4, "init_lora_weights": "gaussian", "target_modules": ["q_proj"]}),
    # Loading changes the base: these initialisations subtract their factors from it again.
    "init-pissa": ("llama", ["init_lora_weights"], {"r": 4, "init_lora_weights": "pissa", "target_modules": ["q_proj"]}),
    "init-olora": ("llama", ["init_lora_weights"], {"r": 4, "init_lora_weights": "olora", "target_modules": ["q_proj"]}),
    "dora": ("llama", ["use_dora"], {"r": 4, "use_dora": True, "target_modules": ALL}),
    "dora-gpt2": ("gpt2", ["use_dora", "fan_in_fan_out"], {"r": 4, "use_dora": True, "target_modules": ["c_attn"], "fan_in_fan_out": True}),
    "lora-bias": ("llama-biases", ["lora_bias"], {"r": 4, "lora_bias": True, "target_modules": ["q_proj"]}),
    "trainable-tokens": (
        "llama",
        ["trainable_token_indices"],
        {"r": 4, "target_modules": ["q_proj"], "trainable_token_indices": [24, 68, 75]},
    ),
    "layer-replication": (
        "llama",
        ["layer_replication"],
        {"r": 4, "target_modules": ["q_proj"], "layer_replication": [(0, 2), (1, 2)]},
    ),
    "target-parameters": (
        "llama",
        ["target_parameters"],
        {"r": 4, "target_modules": ["q_proj"], "target_parameters": ["mlp.up_proj.weight"]},
    ),
}


def fixture(name: str) -> dict:
    base, beyond, options = CASES[name]
    options = dict(options)
    overrides = options.pop("saved", {})
    config = BASES[base]
    task = make.task_of(config)
    batch = make_batch(f"{base}/adapters", config, task, config.get("pad_token_id", 0), [6, 4])
    with tempfile.TemporaryDirectory() as folder:
        settings = LoraConfig(task_type="CAUSAL_LM" if task == "causal-lm" else "SEQ_CLS", **options)
        get_peft_model(make.build(config), settings).save_pretrained(folder)
        path = Path(folder, "adapter_config.json")
        saved = {**json.loads(path.read_text()), **overrides}
        for field in ("target_modules", "exclude_modules"):
            if isinstance(saved[field], list):
                # A set in Python: its order is chance.
                saved[field] = sorted(saved[field])
        path.write_text(json.dumps(saved))
        rows = rewritten(folder, config.get("tie_word_embeddings", False))
        model = PeftModel.from_pretrained(make.build(config), folder).eval()
    sites = sorted(
        module_name.removeprefix("base_model.model.")
        for module_name, module in model.named_modules()
        if hasattr(module, "lora_A")
    )
    scaling = {site: model.get_submodule(f"base_model.model.{site}").scaling["default"] for site in sites}
    base_logits = make.forward(make.build(config), batch)["logits"]
    result = make.forward(model, batch)
    assert flat(result["logits"]) != flat(base_logits), name
    return {
        "name": name,
        "base": base,
        "task": task,
        "versions": {package: make.version(package) for package in ("torch", "transformers", "peft")},
        "beyond": beyond,
        "config": saved,
        "scaling": {site: make.number(value) for site, value in scaling.items()},
        "tensors": rows,
        "batch": batch,
        "forward": result,
    }


def rewritten(folder: str, tied: bool) -> list[dict]:
    """Fills the saved tensors by the formula; what is a copy of the base's stays one."""
    path = Path(folder, "adapter_model.safetensors")
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
        metadata = file.metadata()
    rows = []
    for name, tensor in tensors.items():
        # peft saves the frozen embedding beside the factors of an adapted one.
        copied = "base_layer.weight" in name
        seed = name.removeprefix("base_model.model.").replace(".base_layer", "") if copied else name
        if copied and tied:
            seed = "model.embed_tokens.weight"
        shape = list(tensor.shape)
        scale, offset = rule(seed, shape)
        values = torch.from_numpy(fill(seed, shape, scale, offset))
        assert not copied or torch.equal(values, tensor), name
        tensors[name] = values
        rows.append({"name": name, "shape": shape, "scale": scale, "offset": offset} | ({"seedName": seed} if copied else {}))
    save_file(tensors, path, metadata=metadata)
    return rows


def flat(values) -> list:
    return [number for row in values for number in flat(row)] if isinstance(values, list) else [values]


def fields() -> list[dict]:
    rows = []
    for field in dataclasses.fields(LoraConfig):
        default = field.default_factory() if field.default is dataclasses.MISSING else field.default
        if dataclasses.is_dataclass(default):
            default = dataclasses.asdict(default)
        kind = field.type if isinstance(field.type, str) else str(field.type).replace("typing.", "")
        rows.append({"name": field.name, "type": kind, "default": default})
    return rows


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(2)
    make.FOLDER = HERE / "fixtures"
    chosen = sys.argv[1:]
    for name in CASES:
        if not chosen or name in chosen:
            make.write(name, fixture(name))
    if not chosen:
        defaults = {"peft": peft.__version__, "fields": fields()}
        # As a saved adapter_config.json has it: the fields that peft keeps to itself are missing there.
        defaults["saved"] = sorted(LoraConfig().to_dict())
        text = json.dumps(defaults, indent=1, default=sorted)
        (HERE / "lora-config-fields.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
