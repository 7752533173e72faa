"""Writes fixtures/*.json of update rules and of schedules over layers: ten losses of one start, by PyTorch and by formulas.

Run with torch 2.15.0, transformers 5.23.0, peft 0.21.2 (../requirements.txt):
    python make_updates.py [NAME …]
AdamW and SGD are PyTorch's, LoRA+ is peft's `create_loraplus_optimizer`; the others state the formulas of their papers'
official codes, as the engine's files quote them.
"""

import math
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import peft
import torch
from common import ADAM, CYCLE, STEPS, Tensors, adamw, base, cross_entropy, final_logits, logits_of, models, run, train, write
from deterministic import fill
from make_peft import LINEAR, PAIR, filled
from peft import get_peft_model
from peft.optimizers import create_loraplus_optimizer

LORA = {"type": "lora", "r": 4, "alpha": 8}
SCALE = 2.0
# Of one attention head.
HEAD_ROWS = 12
LR = 2e-3
ADAMW = {"type": "adamw", "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0}


def lora():
    model = get_peft_model(base(), peft.LoraConfig(r=4, lora_alpha=8, **LINEAR)).eval()
    return model, filled(model, PAIR)


def full():
    return base(), Tensors()


class Rule:
    """A step for all named tensors; `step` changes each in place."""

    def __init__(self, named, step, lr=LR):
        self.named, self.own, self.lr, self.t, self.states = dict(named), step, lr, 0, {}

    def zero_grad(self):
        for p in self.named.values():
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        for name, p in self.named.items():
            if p.grad is not None:
                self.own(self, name, p, self.states.setdefault(name, {}))


def saved(model) -> dict:
    names = ((n.removeprefix("base_model.model.").replace(".default", ""), p) for n, p in model.named_parameters() if p.requires_grad)
    return dict(names)


def moments(state, g, square=None, betas=(0.9, 0.999)):
    square = g * g if square is None else square
    state["m"] = betas[0] * state.get("m", torch.zeros_like(g)) + (1 - betas[0]) * g
    state["v"] = betas[1] * state.get("v", torch.zeros_like(square)) + (1 - betas[1]) * square
    return state["m"], state["v"]


def adam(rule, p, state, g=None, square=None):
    m, v = moments(state, p.grad if g is None else g, square)
    p.sub_(rule.lr * (m / (1 - 0.9**rule.t)) / ((v / (1 - 0.999**rule.t)).sqrt() + 1e-8))


def adam_mini(rule, name, p, state):
    """Blocks: heads of queries and keys, rows of other matrices, whole norms."""
    if p.dim() == 1:
        return adam(rule, p, state, square=(p.grad * p.grad).mean().expand(1))
    rows = HEAD_ROWS if "q_proj" in name or "k_proj" in name else 1
    g = p.grad.reshape(p.shape[0] // rows, -1)
    m, v = moments(state, g, (g * g).mean(1, keepdim=True))
    p.sub_((rule.lr * (m / (1 - 0.9**rule.t)) / ((v / (1 - 0.999**rule.t)).sqrt() + 1e-8)).reshape(p.shape))


def natural(low, state, history=3, damping=0.01):
    """Woodbury's identity as the official code takes it, on the last projected gradients and in float64."""
    h = low.flatten().double()
    state["history"] = [*state.get("history", []), h][-history:]
    G = torch.stack(state["history"], 1)
    S = torch.eye(G.shape[1], dtype=torch.float64) + G.T @ G / damping
    ng = h / damping - G @ torch.linalg.solve(S, G.T @ h) / damping**2
    return ng.float().reshape(low.shape)


def projected(fira: bool, rank=16, gap=4, scale=0.25, through=lambda low, state: low):
    def step(rule, name, p, state):
        g = p.grad
        rate = rule.lr * math.sqrt(1 - 0.999**rule.t) / (1 - 0.9**rule.t)
        if "_proj" not in name:
            m, v = moments(state, g)
            p.sub_(rate * m / (v.sqrt() + 1e-6))
            return
        tall = g.shape[0] >= g.shape[1]
        if (rule.t - 1) % gap == 0:
            U, _, Vh = torch.linalg.svd(g.double(), full_matrices=False)
            P = Vh[:rank] if tall else U[:, :rank].T
            # Signs of singular vectors are free, and the averages outlive a change: the largest entry is made positive.
            signs = torch.stack([row[row.abs().argmax()].sign() for row in P])
            state["P"] = (P * signs[:, None]).float()
        P = state["P"]
        low = g @ P.T if tall else P @ g
        back = (lambda x: x @ P) if tall else (lambda x: P.T @ x)
        low = through(low, state)
        m, v = moments(state, low)
        direction = m / (v.sqrt() + 1e-6)
        update = back(direction)
        if fira:
            axis = 1 if tall else 0
            phi = direction.norm(dim=axis, keepdim=True) / (low.norm(dim=axis, keepdim=True) + 1e-8)
            rest = (g - back(low)) * phi
            norm = rest.norm()
            if "norm" in state:
                limiter = max(norm / (state["norm"] + 1e-8), torch.tensor(1.01)) / 1.01
                rest, norm = rest / limiter, norm / limiter
            state["norm"] = norm
            update = update + rest
        p.sub_(rate * scale * update)

    return step


class LoraPro(Rule):
    """Corrected gradients of each pair, with AdamW's step on them."""

    @torch.no_grad()
    def step(self):
        self.t += 1
        for name in [n for n in self.named if "lora_A" in n]:
            a, b = self.named[name], self.named[name.replace("lora_A", "lora_B")]
            A, B, ga, gb = (x.double() for x in (a, b, a.grad, b.grad))
            r = A.shape[0]
            eye = torch.eye(r, dtype=torch.float64)
            AA, BB = A @ A.T, B.T @ B
            AAi, BBi = torch.linalg.inv(AA + 1e-8 * eye), torch.linalg.inv(BB + 1e-8 * eye)
            if not B.any():
                ca, cb = ga, gb @ AAi / SCALE**2
            else:
                right = -BBi @ ga @ A.T / SCALE**2
                system = torch.kron(eye, BB.contiguous()) + torch.kron(AA.contiguous(), eye)
                X = torch.linalg.solve(system, right.T.reshape(-1)).reshape(r, r).T
                ca = BBi @ ga / SCALE**2 + X @ A
                cb = (torch.eye(len(B), dtype=torch.float64) - B @ BBi @ B.T) @ gb @ AAi / SCALE**2 - B @ X
            for p, g in ((a, ca), (b, cb)):
                adam(self, p, self.states.setdefault(id(p), {}), g.float())


class LoraProFull(Rule):
    """Adam's averages of s (B g_A + g_B A), whose direction is divided among A and B."""

    @torch.no_grad()
    def step(self):
        self.t += 1
        s, ridge = SCALE, 1e-8
        for name in [n for n in self.named if "lora_A" in n]:
            a, b = self.named[name], self.named[name.replace("lora_A", "lora_B")]
            A, B, ga, gb = (x.double() for x in (a, b, a.grad, b.grad))
            eye = torch.eye(len(A), dtype=torch.float64)
            AA, BB = A @ A.T, B.T @ B
            AAi, BBi = torch.linalg.inv(AA + ridge * eye), torch.linalg.inv(BB + ridge * eye)
            outside = lambda g: g - B @ (BBi @ (B.T @ g))
            g = s * B @ (BBi @ ga) / s**2 + s * (outside(gb) @ AAi / s**2) @ A
            m, v = moments(self.states.setdefault(name, {}), g)
            g = (m / (1 - 0.9**self.t)) / ((v / (1 - 0.999**self.t)).sqrt() + 1e-8)
            ga, gb = s * B.T @ g, s * g @ A.T
            right = -BBi @ ga @ A.T / s**2
            system = torch.kron(eye, BB.contiguous()) + torch.kron(AA.contiguous(), eye)
            X = torch.linalg.lstsq(system, right.T.reshape(-1, 1)).solution.reshape(len(A), len(A)).T
            a.sub_((self.lr * (BBi @ ga / s**2 + X @ A)).float())
            b.sub_((self.lr * (outside(gb) @ AAi / s**2 - B @ X)).float())


def noise(step: int, name: str, shape) -> torch.Tensor:
    return torch.from_numpy(fill(f"{step}/{name}", shape, 1.5, 0.0))


def ours(name: str) -> str:
    """The engine's name of a pair's tensor."""
    return name.replace(".lora_A.weight", "#A").replace(".lora_B.weight", "#B")


def ggpo(name: str) -> None:
    """Gradients at w + σ z, the step from w; σ by the norms of rows and of their gradients so far."""
    sigma, mix, keep = 0.5, 0.5, 0.8
    model, tensors = lora()
    named = saved(model)
    seen = {n: torch.zeros(p.shape[0], 1) for n, p in named.items()}
    moved = {}

    def before(t):
        with torch.no_grad():
            for n, p in named.items():
                size = sigma * (mix * p.norm(dim=1, keepdim=True) + (1 - mix) * seen[n]) / math.sqrt(p.shape[1])
                moved[n] = p.clone()
                p.add_(size * noise(t, ours(n), p.shape))

    def backward(_):
        with torch.no_grad():
            for n, p in named.items():
                p.copy_(moved[n])
                seen[n] = keep * seen[n] + (1 - keep) * p.grad.norm(dim=1, keepdim=True)

    rule = Rule(named, lambda rule, n, p, state: adam(rule, p, state))
    result = train(model, rule, {"before": before, "backward": backward})
    optimizer = {"type": "lora_ggpo", "sigma": sigma, "mix": mix, "ema": keep, "weight_decay": 0}
    put(name, LORA, optimizer, tensors, result)


def mezo(name: str) -> None:
    model, tensors = lora()
    named, eps, rate, losses = saved(model), 5e-2, 2e-3, []
    with torch.no_grad():
        for t in range(1, STEPS + 1):
            batch = CYCLE[(t - 1) % len(CYCLE)]
            start = {n: p.clone() for n, p in named.items()}
            sides = []
            for sign in (1, -1):
                for n, p in named.items():
                    p.copy_(start[n] + sign * eps * noise(t, ours(n), p.shape))
                sides.append(cross_entropy(logits_of(model, batch), batch).item())
            slope = (sides[0] - sides[1]) / (2 * eps)
            for n, p in named.items():
                p.copy_(start[n] - rate * slope * noise(t, ours(n), p.shape))
            losses.append(models.number(sum(sides) / 2))
    result = {"losses": losses, "logits": final_logits(model)}
    put(name, LORA, {"type": "mezo", "eps": eps}, tensors, result, learningRate=rate)


def put(name, method, optimizer, tensors, result, source="formulas", **more) -> None:
    train_fields = {"optimizer": optimizer} | more.pop("train", {})
    write(name, source, {"method": method, "train": train_fields}, tensors, result, **{"learningRate": LR, **more})


def on_full(optimizer: dict, rule, lr=LR, source="formulas"):
    def case(name: str) -> None:
        model, tensors = full()
        put(name, {"type": "full"}, optimizer, tensors, train(model, rule(model, lr)), source, learningRate=lr)

    return case


def whole(name: str) -> None:
    model, tensors = full()
    write(name, "torch", {"method": {"type": "full"}}, tensors, train(model, adamw(model.parameters())))


def lora_plus(name: str) -> None:
    model, tensors = lora()
    # eps and decay as in LoRA+'s helper, which takes the optimizer's class and its arguments.
    made = create_loraplus_optimizer(model, torch.optim.AdamW, lr=LR, loraplus_lr_ratio=8, **ADAM)
    put(name, LORA, {"type": "lora_plus", "ratio": 8, "weight_decay": 0}, tensors, train(model, made), "peft")


def lora_pro(mode: str, rule):
    def case(name: str) -> None:
        model, tensors = lora()
        put(name, LORA, {"type": "lora_pro", "mode": mode, "weight_decay": 0}, tensors, train(model, rule(saved(model), None)))

    return case


def scheduled(schedule: dict, turns):
    """Full fine-tuning where tensors outside the step's turn get no gradient; PyTorch's AdamW counts each tensor's own steps."""

    def case(name: str) -> None:
        model, tensors = full()

        def backward(t):
            for n, p in model.named_parameters():
                if not turns(t, n):
                    p.grad = None

        made = torch.optim.AdamW(model.parameters(), lr=LR, foreach=False, **ADAM)
        result = train(model, made, {"backward": backward})
        put(name, {"type": "full"}, ADAMW, tensors, result, train={"active_layers": schedule})

    return case


def block_of(name: str) -> int:
    """Embedding, two layers, head."""
    return 0 if "embed_tokens" in name else int(name.split(".")[2]) + 1 if ".layers." in name else 3


def torch_rule(cls, **options):
    return lambda model, lr: cls(model.parameters(), lr=lr, foreach=False, **options)


PROJECTED = {"rank": 16, "update_proj_gap": 4, "scale": 0.25, "weight_decay": 0}
# The layer that the engine draws for steps 1 … 3, 4 … 6, 7 … 9 and 10 with the seed 0.
LISA_LAYERS = [0, 1, 1, 0]

CASES = {
    "full": whole,
    "adamw": on_full({**ADAMW}, torch_rule(torch.optim.AdamW, **ADAM), source="torch"),
    "sgd": on_full({"type": "sgd"}, torch_rule(torch.optim.SGD), 0.05, "torch"),
    "lomo": on_full({"type": "lomo"}, torch_rule(torch.optim.SGD), 0.05),
    "adam_mini": on_full({"type": "adam_mini", "weight_decay": 0}, lambda m, lr: Rule(m.named_parameters(), adam_mini, lr)),
    "galore": on_full({"type": "galore", **PROJECTED}, lambda m, lr: Rule(m.named_parameters(), projected(False), lr)),
    "natural_galore": on_full(
        {"type": "natural_galore", **PROJECTED, "history": 3, "damping": 0.01},
        lambda m, lr: Rule(m.named_parameters(), projected(False, through=natural), lr),
    ),
    "fira": on_full({"type": "fira", **PROJECTED}, lambda m, lr: Rule(m.named_parameters(), projected(True), lr)),
    # So few directions that a sketch finds them instead of a whole decomposition.
    "galore-few": on_full({"type": "galore", **PROJECTED, "rank": 6}, lambda m, lr: Rule(m.named_parameters(), projected(False, 6), lr)),
    "fira-few": on_full({"type": "fira", **PROJECTED, "rank": 6}, lambda m, lr: Rule(m.named_parameters(), projected(True, 6), lr)),
    "lora_plus": lora_plus,
    "lora_pro": lora_pro("full", LoraProFull),
    "lora_pro-efficient": lora_pro("efficient", LoraPro),
    "lora_ggpo": ggpo,
    "mezo": mezo,
    "hift": scheduled({"type": "hift", "group": 1}, lambda t, n: block_of(n) == (t - 1) % 4),
    "lisa": scheduled(
        {"type": "lisa", "layers": 1, "interval": 3}, lambda t, n: block_of(n) in (0, 3, LISA_LAYERS[(t - 1) // 3] + 1)
    ),
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(CASES)
