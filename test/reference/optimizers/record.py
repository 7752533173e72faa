"""Records five steps of each update rule as its paper states it, in PyTorch's float64.

    python test/reference/optimizers/record.py > test/reference/optimizers/recorded.json

Written from the formulas in the files' headers; AdamW is PyTorch's own. Versions: torch 2.15.
"""

import json
import math

import torch

torch.set_default_dtype(torch.float64)
STEPS, LR = 5, 1e-2


def values(shape, seed):
    """Small numbers that both sides make alike."""
    count = math.prod(shape)
    return torch.tensor([math.sin(1.7 * i + seed) * 0.5 for i in range(count)]).reshape(shape)


def gradient(t, shape, seed):
    count = math.prod(shape)
    return torch.tensor([math.cos(0.9 * i + 1.3 * t + seed) for i in range(count)]).reshape(shape)


def adam_moments(state, g, b1=0.9, b2=0.999, square=None):
    state["m"] = b1 * state.get("m", torch.zeros_like(g)) + (1 - b1) * g
    square = g * g if square is None else square
    state["v"] = b2 * state.get("v", torch.zeros_like(square)) + (1 - b2) * square
    return state["m"], state["v"]


def adam_mini(shape, rows_of_block):
    w, state = values(shape, 1), {}
    for t in range(1, STEPS + 1):
        g = gradient(t, shape, 2).reshape(shape[0] // rows_of_block, -1)
        m, v = adam_moments(state, g, square=(g * g).mean(1, keepdim=True))
        step = m / (1 - 0.9**t) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
        w = w - LR * step.reshape(shape)
    return w


def projected(shape, rank, fira):
    w, state, scale = values(shape, 1), {}, 0.25
    for t in range(1, STEPS + 1):
        g = gradient(t, shape, 2) + 0.3 * values(shape, t)
        tall = shape[0] >= shape[1]
        if (t - 1) % 3 == 0:
            u, _, vt = torch.linalg.svd(g, full_matrices=False)
            # Signs of singular vectors are free: the largest entry is made positive on both sides.
            fresh = vt[:rank] if tall else u[:, :rank].T
            signs = torch.stack([row[row.abs().argmax()].sign() for row in fresh])
            fresh = fresh * signs[:, None]
            state["P"] = fresh if tall else fresh.T
        p = state["P"]
        low = g @ p.T if tall else p.T @ g
        m, v = adam_moments(state, low)
        direction = m / (v.sqrt() + 1e-6)
        back = (lambda x: x @ p) if tall else (lambda x: p @ x)
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
        w = w - LR * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * scale * update
    return w


def lora_pro(rank, out, width, scale):
    a, b = values((rank, width), 1), torch.zeros(out, rank)
    parts, states = [a, b], [{}, {}]
    for t in range(1, STEPS + 1):
        a, b = parts
        g = gradient(t, (out, width), 2)
        ga, gb = scale * b.T @ g, scale * g @ a.T
        aa = torch.linalg.inv(a @ a.T + 1e-8 * torch.eye(rank))
        if t == 1:
            corrected = [ga, gb @ aa / scale**2]
        else:
            btb = b.T @ b
            bb = torch.linalg.inv(btb + 1e-8 * torch.eye(rank))
            right = -bb @ ga @ a.T / scale**2
            # vec(BᵀB X + X A Aᵀ), column by column.
            system = torch.kron(torch.eye(rank), btb.contiguous()) + torch.kron((a @ a.T).contiguous(), torch.eye(rank))
            x = torch.linalg.solve(system, right.T.reshape(-1)).reshape(rank, rank).T
            corrected = [
                bb @ ga / scale**2 + x @ a,
                (torch.eye(out) - b @ bb @ b.T) @ gb @ aa / scale**2 - b @ x,
            ]
        stepped = []
        for w, state, change in zip(parts, states, corrected):
            m, v = adam_moments(state, change)
            step = m / (1 - 0.9**t) / ((v / (1 - 0.999**t)).sqrt() + 1e-8)
            stepped.append(w - LR * step)
        parts = stepped
    return parts


def adamw(lr):
    w = torch.nn.Parameter(values((3, 4), 1))
    optimizer = torch.optim.AdamW([w], lr=lr, weight_decay=0)
    for t in range(1, STEPS + 1):
        w.grad = gradient(t, (3, 4), 2)
        optimizer.step()
    return w.detach()


a, b = lora_pro(2, 5, 4, 2.0)
cases = {
    "adam_mini rows": adam_mini((6, 4), 1),
    "adam_mini heads": adam_mini((6, 4), 3),
    "galore tall": projected((6, 4), 2, False),
    "galore wide": projected((4, 6), 2, False),
    "fira tall": projected((6, 4), 2, True),
    "fira wide": projected((4, 6), 2, True),
    "lora_pro A": a,
    "lora_pro B": b,
    "lora_plus A": adamw(LR),
    "lora_plus B": adamw(16 * LR),
}
print(json.dumps({name: [round(x, 10) for x in w.flatten().tolist()] for name, w in cases.items()}, indent=1))
