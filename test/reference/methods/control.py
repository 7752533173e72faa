"""Trains the sample's base as `npm run bench -- methods` does, by peft and by the papers' formulas, and scores it alike.

Run with torch 2.15.0, transformers 5.23.0, peft 0.21.2 (../requirements.txt):
    python control.py ROW LEARNING_RATE [SEED] [STEPS]
Prints one line of JSON: loss and share of exact answers on the first examples of the sample's eval.jsonl. Rows are those
of CASES. Order of examples and starts are drawn by torch from the seed, so that a run is one of many such runs, not the
same one.
"""

import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import make_updates
import peft
import torch
from control_formulas import CASES as FORMULAS
from make_updates import LoraPro, LoraProFull, Rule, adam_mini, projected
from peft import get_peft_model
from sample import BATCH, EXAMPLES, adamw, base, encoded, factor, loss_of, padded, rows, trained

LINEAR = {"target_modules": "all-linear", "task_type": "CAUSAL_LM"}
make_updates.HEAD_ROWS = 32


def saved(model) -> dict:
    return {n: p for n, p in model.named_parameters() if p.requires_grad}


class Ruled:
    """A rule of make_updates.py with param_groups, as schedulers want them."""

    def __init__(self, rule: Rule):
        self.rule, self.param_groups = rule, [{"lr": rule.lr}]

    def zero_grad(self):
        self.rule.zero_grad()

    def step(self):
        self.rule.lr = self.param_groups[0]["lr"]
        self.rule.step()


def peft_case(config, optimizer=adamw, **options):
    given = {key: value for key, value in {**LINEAR, **options}.items() if value is not None}

    def case(lr, steps):
        model = get_peft_model(base(), config(**given)).eval()
        return model, optimizer(model, lr), {}, None

    return case


def adalora(lr, steps):
    """As peft has it, with the orthogonality penalty of its forward."""
    config = peft.AdaLoraConfig(
        init_r=8, target_r=6, lora_alpha=16, tinit=0, tfinal=0, deltaT=1, total_step=steps, orth_reg_weight=0.5, **LINEAR
    )
    model = get_peft_model(base(), config).eval()

    def penalty():
        squares = [
            torch.linalg.matrix_norm((p @ p.T if "lora_A" in n else p.T @ p) - torch.eye(p.shape[0 if "lora_A" in n else 1]))
            for n, p in model.named_parameters()
            if "lora_A" in n or "lora_B" in n
        ]
        return 0.5 * sum(squares) / len(squares)

    # total_step itself is past the end of peft's schedule when tfinal is 0.
    after = lambda t: model.base_model.update_and_allocate(t) if t < steps else None
    return model, adamw(model, lr), {"after": after}, penalty


def full_case(rule):
    def case(lr, steps):
        model = base()
        model.train(False)
        return model, rule(model, lr), {}, None

    return case


def ruled(step):
    return lambda model, lr: Ruled(Rule(saved(model), step, lr))


TOKENS = {"target_modules": None}
LORA = {"r": 8, "lora_alpha": 16}
CASES = {
    "lora": peft_case(peft.LoraConfig, **LORA),
    "rslora": peft_case(peft.LoraConfig, use_rslora=True, **LORA),
    "dora": peft_case(peft.LoraConfig, use_dora=True, **LORA),
    "pissa": peft_case(peft.LoraConfig, init_lora_weights="pissa", **LORA),
    "lora_pro": peft_case(peft.LoraConfig, lambda m, lr: Ruled(LoraProFull(saved(m), None, lr)), **LORA),
    "lora_pro-efficient": peft_case(peft.LoraConfig, lambda m, lr: Ruled(LoraPro(saved(m), None, lr)), **LORA),
    "vera": peft_case(peft.VeraConfig, r=256),
    "randlora": peft_case(peft.RandLoraConfig, r=32, randlora_alpha=40),
    "miss": peft_case(peft.MissConfig, r=15),
    "lokr": peft_case(peft.LoKrConfig, r=16, alpha=16, decompose_factor=2),
    "ia3": peft_case(
        peft.IA3Config,
        feedforward_modules=["down_proj"],
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    ),
    "adalora": adalora,
    "prompt_tuning": peft_case(peft.PromptTuningConfig, num_virtual_tokens=20, **TOKENS),
    "prefix_tuning": peft_case(peft.PrefixTuningConfig, num_virtual_tokens=20, **TOKENS),
    "full": full_case(adamw),
    "adam_mini": full_case(ruled(adam_mini)),
    "galore": full_case(ruled(projected(False, 32, 20))),
    "fira": full_case(ruled(projected(True, 32, 20))),
    "sgd": full_case(lambda m, lr: torch.optim.SGD(trained(m), lr=lr)),
    "oft": peft_case(peft.OFTConfig, oft_block_size=32),
    "vblora": peft_case(peft.VBLoRAConfig, r=4, num_vectors=32, vector_length=16, topk=2),
    "hira": peft_case(peft.HiraConfig, r=8),
    **FORMULAS,
}


def train(case, lr: float, seed: int, steps: int) -> dict:
    torch.manual_seed(seed)
    model, optimizer, hooks, penalty = case(lr, steps)
    hook = lambda name, t: hooks.get(name, lambda t: None)(t)
    examples = [encoded(row) for row in rows("train.jsonl")]
    order = torch.randperm(len(examples)).tolist()
    for t in range(steps):
        batch = padded([examples[k] for k in order[BATCH * t : BATCH * (t + 1)]])
        for group in optimizer.param_groups:
            group["lr"] = lr * factor(t, steps)
        hook("before", t + 1)
        optimizer.zero_grad()
        total, count = loss_of(model, batch)
        loss = total / count
        (loss + penalty() if penalty else loss).backward()
        hook("backward", t + 1)
        torch.nn.utils.clip_grad_norm_(trained(model), 1.0)
        optimizer.step()
        hook("after", t + 1)
    return {"parameters": sum(p.numel() for p in trained(model)), **measured(model)}


@torch.no_grad()
def measured(model) -> dict:
    asked = rows("eval.jsonl")[:EXAMPLES]
    total, count = loss_of(model, padded([encoded(row) for row in asked]))
    right = 0
    for row in asked:
        ids, start = encoded(row)
        # Greedily, the reference token given as long as it was right: the answer is exact when all are.
        logits = model(input_ids=torch.tensor([ids])).logits[0, -len(ids) :]
        right += logits[start - 1 : -1].argmax(-1).tolist() == ids[start:]
    return {"loss": (total / count).item(), "score": right / len(asked)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    name, lr = sys.argv[1], float(sys.argv[2])
    seed, steps = int((sys.argv[3:] or ["0"])[0]), int((sys.argv[4:] or ["40"])[0])
    print(json.dumps({"row": name, "learningRate": lr, "seed": seed, "steps": steps, **train(CASES[name], lr, seed, steps)}))
