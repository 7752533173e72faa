"""Writes fixtures/*.json of starts that measure on data: ten losses of a LoRA that peft, or the authors' formulas, start.

Run with torch 2.15.0, transformers 5.23.0, peft 0.21.2 (../requirements.txt):
    python make_starts.py [NAME …]
The start is computed on both sides from the fixture's nine examples. Signs of singular vectors change no loss where A
and B get the same ones; where they do not, in LoRA-GA, the right vectors' largest entries are made positive.
"""

import dataclasses
import math
import sys
import types
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

if "attr" not in sys.modules:
    # peft's CorDA takes `dataclass` from attrs without requiring it; the standard one serves as well.
    sys.modules["attr"] = types.ModuleType("attr")
    sys.modules["attr"].dataclass = dataclasses.dataclass

import torch
from common import CYCLE, Tensors, adamw, base, cross_entropy, logits_of, run, train, write
from make_formulas import svd, trained as trained_of_sites
from make_peft import trained
from peft import EvaConfig, LoraConfig, get_peft_model, initialize_lora_eva_weights
from peft.tuners.lora.config import CordaConfig, LoraGAConfig
from peft.tuners.lora.corda import preprocess_corda
from peft.tuners.lora.loraga import preprocess_loraga
from sites import KINDS, gradients, one, sites

# Twice the rank spans the narrow side, so that peft's random sketches of directions are exact there.
RANK, ALPHA = 12, 24


def examples() -> list:
    return [one(batch, row) for batch in CYCLE for row in range(len(batch["inputIds"]))]


def shortened(example: dict) -> dict:
    """Without padding."""
    length = sum(example["attentionMask"][0])
    return {key: [values[0][:length]] for key, values in example.items()}


def lora(init: dict, rank: int = RANK) -> dict:
    return {"type": "lora", "r": rank, "alpha": 2 * rank, "init": {**init}}


def config(rank: int = RANK, **more) -> LoraConfig:
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(KINDS), task_type="CAUSAL_LM", **more)


def finish(name: str, method: dict, model) -> None:
    write(name, "peft", {"method": method}, Tensors(), train(model, adamw(trained(model))))


def eva(rank: int):
    """All examples as one batch, whose inputs the incremental PCA takes whole; padding is left out on both sides."""

    def case(name: str) -> None:
        model = get_peft_model(base(), config(rank, init_lora_weights="eva", eva_config=EvaConfig(rho=2.0, use_label_mask=False))).eval()
        longest = max(len(example["inputIds"][0]) for example in examples())
        padded = lambda key: torch.tensor([e[key][0] + [0] * (longest - len(e[key][0])) for e in examples()])
        batch = {"input_ids": padded("inputIds"), "attention_mask": padded("attentionMask")}
        initialize_lora_eva_weights(model, [batch], show_progress_bar=False)
        method = lora({"type": "eva", "rho": 2, "use_label_mask": False, "samples": 9}, rank)
        finish(name, method, model.eval())

    return case


def corda(mode: str):
    def case(name: str) -> None:
        model = base()
        choice = config(init_lora_weights="corda", corda_config=CordaConfig(corda_method=mode))

        def measure():
            with torch.no_grad():
                for example in examples():
                    logits_of(model, shortened(example))

        preprocess_corda(model, choice, run_model=measure)
        finish(name, lora({"type": "corda", "mode": mode, "samples": 9}), get_peft_model(model, choice).eval())

    return case


def upright(U, Vh):
    signs = Vh.gather(1, Vh.abs().argmax(1, keepdim=True)).sign()
    return U * signs.T, Vh * signs


def with_upright_vectors(svd_lowrank):
    def found(matrix, **options):
        U, S, V = svd_lowrank(matrix, **options)
        U, Vh = upright(U, V.T)
        return U, S, Vh.T

    return found


def lora_ga_peft(name: str) -> None:
    model = base()
    choice = config(init_lora_weights="lora_ga", lora_ga_config=LoraGAConfig(direction="ArB2r", scale="stable", stable_gamma=16))

    def step():
        for example in examples():
            cross_entropy(logits_of(model, example), example).backward()

    preprocess_loraga(model, choice, step)
    torch.svd_lowrank = with_upright_vectors(torch.svd_lowrank)
    method = lora({"type": "lora_ga", "variant": "peft", "stable_gamma": 16, "samples": 9})
    finish(name, method, get_peft_model(model, choice).eval())


def lora_ga_paper(name: str) -> None:
    """By the authors' code: A the first r right vectors, B the next r left ones, both times out^¼ / √γ."""
    G = gradients()
    model, all_sites = sites()
    s = ALPHA / RANK
    for site in all_sites:
        U, _, Vh = svd(G[site.site])
        U, Vh = upright(U, Vh)
        factor = site.out**0.25 / math.sqrt(16)
        A, B = factor * Vh[:RANK], factor * U[:, RANK : 2 * RANK]
        rest = site.W - s * B @ A
        site.trains(A=A.clone(), B=B.clone())
        site.weight = lambda site=site, rest=rest: rest + s * site["B"] @ site["A"]
    method = lora({"type": "lora_ga", "variant": "paper", "stable_gamma": 16, "samples": 9})
    write(name, "formulas", {"method": method}, Tensors(), train(model, adamw(trained_of_sites(all_sites))))


CASES = {
    "eva": eva(RANK),
    "corda-ipm": corda("ipm"),
    "corda-kpm": corda("kpm"),
    "lora_ga-peft": lora_ga_peft,
    "lora_ga-paper": lora_ga_paper,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(CASES)
