"""Writes fixtures/*.json of methods that peft lacks: small PyTorch statements of the papers' and official codes' formulas.

Run with torch 2.15.0, transformers 5.23.0 (../requirements.txt):
    python make_formulas.py [NAME …]
They are written apart from the engine, from the equations alone; where the engine departs from an official code, which
its file says, they state what the file says.
"""

import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
from common import LR, STEPS, Tensors, adamw, run, train, write
from sites import batch_gradients, gradients, sites, squared_gradients


def trained(all_sites) -> list:
    found = {id(p): p for site in all_sites for p in site.own.values()}
    return list(found.values())


def linear(method: dict, setup, hooks=lambda all_sites: {}, penalty=lambda all_sites: None, make=adamw, **more):
    """A method at every linear layer; `setup` makes a site's tensors and its weight."""

    def case(name: str) -> None:
        model, all_sites = sites()
        tensors = Tensors()
        for site in all_sites:
            setup(site, tensors)
        result = train(model, make(trained(all_sites)), hooks(all_sites), penalty(all_sites))
        write(name, "formulas", {"method": method, **more.pop("experiment", {})}, tensors, result, **more)

    return case


def svd(matrix):
    U, S, Vh = torch.linalg.svd(matrix.double(), full_matrices=False)
    return U.float(), S.float(), Vh.float()


# --- fixed factors from W ----------------------------------------------------------------------------


def svft_plain(site, tensors):
    U, _, Vh = svd(site.W)
    site.trains(M=tensors.made(f"{site.site}#M", (min(site.W.shape),), 0.1))
    site.weight = lambda: site.W + (U * site["M"]) @ Vh


def svft_band(site, tensors):
    U, _, Vh = svd(site.W)
    k = min(site.W.shape)
    site.trains(middle=torch.zeros(k), above=torch.zeros(k - 1), below=torch.zeros(k - 1))
    core = lambda: torch.diag(site["middle"]) + torch.diag(site["above"], 1) + torch.diag(site["below"], -1)
    site.weight = lambda: site.W + U @ core() @ Vh


def loldu(site, tensors, r=8, alpha=4):
    P, L, U = torch.linalg.lu(site.W.double())
    D = U.diagonal()
    B, A = (P @ L)[:, :r].float(), (U / D[:, None])[:r].float()
    z, gamma = D[:r].float(), torch.full((1,), alpha / r)
    rest = site.W - (alpha / r) * (B * z) @ A
    site.trains(z=z.clone(), gamma=gamma)
    site.weight = lambda: rest + site["gamma"] * (B * site["z"]) @ A


def lora_xs(site, tensors, r=6, alpha=12):
    U, S, Vh = svd(site.W)
    site.trains(R=torch.zeros(r, r))
    site.weight = lambda: site.W + alpha / r * (U[:, :r] * S[:r]) @ site["R"] @ Vh[:r]


def lora_sb(r=6, alpha=12):
    G = gradients()

    def setup(site, tensors):
        U, S, Vh = svd(-LR * G[site.site].sign())
        site.trains(R=torch.diag(S[:r]) * r / alpha)
        site.weight = lambda: site.W + alpha / r * U[:, :r] @ site["R"] @ Vh[:r]

    return setup


def lamda(site, tensors, r=8, alpha=4):
    _, _, Vh = svd(site.W)
    site.trains(B=torch.zeros(site.out, r), C=torch.eye(r))
    site.weight = lambda: site.W + alpha / r * site["B"] @ site["C"] @ Vh[:r]


def freezing(freeze=0.5, r=8, steps=STEPS):
    """⌊r t / (freeze T)⌋ columns of B are frozen after step t."""

    def hooks(all_sites):
        held = []

        def before(t):
            frozen = min(r, math.floor(r * (t - 1) / (freeze * steps)))
            held[:] = [(site["B"], site["B"].detach()[:, :frozen].clone()) for site in all_sites]

        def after(_):
            with torch.no_grad():
                for B, columns in held:
                    B[:, : columns.shape[1]] = columns

        return {"before": before, "after": after}

    return hooks


# --- seeded factors ------------------------------------------------------------------------------------


def nola(site, tensors, r=3, alpha=6, basis=5):
    n, m = site.width, site.out
    start = tensors.made(f"#start.{r}.{n}", (r, n), 0.15)
    bases_a = tensors.made(f"#A.{r}.{n}", (basis, r * n), 0.4)
    bases_b = tensors.made(f"#B.{r}.{m}", (basis, m * r), 0.4)
    site.trains(a=tensors.made(f"{site.site}#a", (1, basis), 0.3), b=tensors.made(f"{site.site}#b", (1, basis), 0.3))
    A = lambda: start + (site["a"] @ bases_a).reshape(r, n)
    B = lambda: (site["b"] @ bases_b).reshape(m, r)
    site.weight = lambda: site.W + alpha / r * B() @ A()


def sharelora(share: str):
    tied = {}

    def setup(site, tensors, r=4, alpha=8):
        def factor(letter, shape, scale):
            if letter not in share:
                return tensors.made(f"{site.site}#{letter}", shape, scale)
            key = f"#{letter}.{site.kind}"
            if key not in tied:
                tied[key] = torch.nn.Parameter(tensors.made(key, shape, scale))
            return tied[key]

        for letter, shape, scale in (("A", (r, site.width), 0.15), ("B", (site.out, r), 0.3)):
            value = factor(letter, shape, scale)
            site.own[letter] = value if isinstance(value, torch.nn.Parameter) else torch.nn.Parameter(value)
        site.weight = lambda: site.W + alpha / r * site["B"] @ site["A"]

    return setup


# --- parts of W ------------------------------------------------------------------------------------------


def paca(site, tensors, r=6, alpha=12):
    J = tensors.indices(f"{site.site}#J", [(5 * k + 3 + len(site.site)) % site.width for k in range(r)])
    site.trains(D=tensors.made(f"{site.site}#D", (site.out, r), 0.1))
    site.weight = lambda: site.W.index_add(1, J, alpha / r * site["D"])


def smt(block=12, share=0.15):
    G = batch_gradients()

    def setup(site, tensors):
        down, across = site.out // block, site.width // block
        blocks = site.W.reshape(down, block, across, block)
        scores = G[site.site].abs().reshape(down, block, across, block).sum((1, 3)).flatten()
        count = max(1, round(share * down * across))
        chosen = scores.argsort(descending=True)[:count]
        site.trains(V=tensors.made(f"{site.site}#V", (count, block, block), 0.1))

        def weight():
            moved = blocks.clone()
            for k, place in enumerate(chosen.tolist()):
                moved[place // across, :, place % across] = moved[place // across, :, place % across] + site["V"][k]
            return moved.reshape(site.out, site.width)

        site.weight = weight

    return setup


def fish(share=0.01):
    F = squared_gradients()
    flat = torch.cat([F[name].flatten() for name in F])
    least = flat.sort(descending=True).values[math.floor(share * flat.numel()) - 1]

    def setup(site, tensors):
        J = (F[site.site].flatten() >= least).nonzero().flatten()
        site.trains(v=torch.zeros(len(J)))
        site.weight = lambda: site.W.flatten().index_add(0, J, site["v"]).reshape(site.W.shape)

    return setup


# --- allocation while training ------------------------------------------------------------------------------


def pair(site, tensors, r, alpha, core=None, scale=0.3):
    site.trains(A=tensors.made(f"{site.site}#A", (r, site.width), 0.15), B=tensors.made(f"{site.site}#B", (site.out, r), scale))
    middle = core or (lambda: torch.ones(r))
    site.weight = lambda: site.W + alpha / r * (site["B"] * middle()) @ site["A"]


def sora(site, tensors):
    pair(site, tensors, 4, 8, lambda: site["g"])
    site.trains(g=tensors.made(f"{site.site}#g", (4,), 0.05, 0.01))


def soft_threshold(all_sites, threshold=0.004):
    def after(_):
        with torch.no_grad():
            for site in all_sites:
                g = site["g"]
                g.copy_(g.sign() * (g.abs() - threshold).clamp(min=0))

    return {"after": after}


# Drawn from the seed 0 by the engine.
DYLORA_RANKS = [1, 1, 1, 4, 2, 1, 2, 3, 4, 3]


def dylora(update: str):
    state = {"rank": 4}
    prefix = lambda: (torch.arange(4) < state["rank"]).float()

    def setup(site, tensors):
        pair(site, tensors, 4, 8, prefix)

    def hooks(all_sites):
        held = []

        def before(t):
            state["rank"] = DYLORA_RANKS[t - 1]
            held[:] = [(site, site["A"].detach().clone(), site["B"].detach().clone()) for site in all_sites]

        def after(_):
            k = torch.arange(4)
            still = (k >= state["rank"]) | (torch.tensor(update == "last") & (k < state["rank"] - 1))
            with torch.no_grad():
                for site, A, B in held:
                    site["A"][still] = A[still]
                    site["B"][:, still] = B[:, still]
            state["rank"] = 4

        return {"before": before, "after": after}

    return setup, hooks


def dynamic_dora(site, tensors):
    pair(site, tensors, 6, 6, lambda: site["c"])
    site.trains(c=tensors.made(f"{site.site}#c", (6,), 0.3))


def variance(all_sites, weight=0.1):
    """Until the last choice, the mean variance within rows of A and columns of B."""
    state = {"t": 0}

    def penalty():
        state["t"] += 1
        if state["t"] > 0.6 * STEPS:
            return torch.zeros(())
        return weight * sum(
            (s["A"].var(1, correction=0).mean() + s["B"].var(0, correction=0).mean()) / (2 * len(all_sites)) for s in all_sites
        )

    return penalty


def dynamic_choice(all_sites, r=6, target=3, beta=0.9, first=1, last=6, interval=2):
    means = {site.site: torch.zeros(r) for site in all_sites}
    on = {site.site: torch.ones(r) for site in all_sites}

    def after(t):
        with torch.no_grad():
            if t <= last:
                for site in all_sites:
                    parts = site["c"].abs() * site["B"].norm(dim=0) * site["A"].norm(dim=1)
                    whole = torch.linalg.matrix_norm((site["B"] * site["c"]) @ site["A"])
                    means[site.site] = beta * means[site.site] + (1 - beta) * parts / whole
                if t % interval != 0 and t != last:
                    return
                share = 1 - (t - first) / (last - first)
                low, high = target * len(all_sites), r * len(all_sites)
                budget = high if t <= first else low if t >= last else math.floor(low + (high - low) * share**3)
                least = torch.cat(list(means.values())).sort(descending=True).values[budget - 1]
                for key, mean in means.items():
                    on[key] = (mean >= least).float()
            for site in all_sites:
                site["c"].mul_(on[site.site])

    return {"after": after}


INCRELORA = {
    **{"type": "increlora", "r": 1, "target_r": 2, "max_r": 4, "alpha": 4, "first_steps": 1, "interval": 2},
    **{"top_h": 4, "ranks_each": 1, "beta1": 0.8, "beta2": 0.7, "orthogonality": 0.3},
}


def increlora(site, tensors, ranks=4, alpha=4):
    made = lambda name, shape, scale: tensors.made(f"{site.site}#{name}", shape, scale)
    site.trains(A=made("A", (ranks, site.width), 0.15), B=made("B", (ranks, site.out), 0.15))
    # The weights of parts that are not there yet are zero.
    site.trains(e=made("e", (ranks,), 0.3))
    with torch.no_grad():
        site["e"][1:] = 0
    tensors.rows[f"{site.site}#e"] = {"name": f"{site.site}#e", "shape": [ranks], "values": site["e"].tolist()}
    growing(site, alpha)


def growing(site, alpha):
    """A weight of as many parts as the site has ranks, which keeps the gradient of its update."""
    site.rank, site.mean, site.spread = 1, 0.0, 0.0

    def weight():
        site.update = alpha / site.rank * (site["B"].T * site["e"]) @ site["A"]
        if site.update.requires_grad:
            site.update.retain_grad()
        return site.W + site.update

    site.weight = weight


def increase(all_sites, budget=2, first=1, interval=2, top=4, beta1=0.8, beta2=0.7):
    """Importance, growth and reserve as RankAllocator has them, with tensors made beforehand."""
    left = lambda: budget * len(all_sites) - sum(site.rank for site in all_sites)

    @torch.no_grad()
    def before(t):
        if t == 1:
            for site in all_sites:
                site["e"][site.rank] = 1e-5

    @torch.no_grad()
    def backward(t):
        for site in all_sites:
            site["e"].grad[site.rank :] = 0
            score = (site.update * site.update.grad).abs().sum().item() / math.sqrt(site.update.numel())
            site.mean = beta1 * site.mean + (1 - beta1) * score
            site.spread = beta2 * site.spread + (1 - beta2) * abs(score - site.mean)
        now = t - 1
        if left() == 0 or now <= first or now % interval != 0:
            return
        able = [site for site in all_sites if site.rank < len(site["e"])]
        for site in sorted(able, key=lambda site: -site.mean * site.spread)[:top]:
            if left() > 0:
                site.rank += 1
                site["e"][site.rank : site.rank + 1] = 1e-5
        if left() == 0:
            for site in all_sites:
                site["e"][site.rank :] = 0

    return {"before": before, "backward": backward}


def orthogonal(all_sites, weight=0.3, budget=2):
    def penalty():
        reserve = 0 if sum(site.rank for site in all_sites) >= budget * len(all_sites) else 1
        total = 0
        for site in all_sites:
            for X in (site["A"][: site.rank + reserve], site["B"][: site.rank + reserve]):
                total = total + torch.linalg.matrix_norm(X @ X.T - torch.eye(len(X)))
        return weight * total / (2 * len(all_sites))

    return penalty


LORA_XS = {"type": "lora_xs", "r": 6, "alpha": 12}
DYLORA = {"type": "dylora", "r": 4, "alpha": 8}
CASES = {
    "svft": linear({"type": "svft"}, svft_plain),
    "svft-band": linear({"type": "svft", "off_diagonals": 1}, svft_band),
    "loldu": linear({"type": "loldu", "r": 8, "alpha": 4}, loldu),
    "lora_xs": linear(LORA_XS, lora_xs),
    "lora_sb": lambda name: linear({**LORA_XS, "init": {"type": "lora_sb", "samples": 9}}, lora_sb())(name),
    "lamda": linear({"type": "lamda", "r": 8, "alpha": 4, "freeze": 0.5}, lamda, freezing()),
    "nola": linear({"type": "nola", "r": 3, "alpha": 6, "basis": 5}, nola),
    "paca": linear({"type": "paca", "r": 6, "alpha": 12}, paca),
    "smt": lambda name: linear({"type": "smt", "block": 12, "share": 0.15}, smt())(name),
    "fish": lambda name: linear({"type": "fish", "share": 0.01, "samples": 9}, fish())(name),
    "sora": linear({"type": "sora", "r": 4, "alpha": 8, "threshold": 0.004}, sora, soft_threshold),
    "dylora": lambda name: linear(DYLORA, *dylora("all"))(name),
    "dylora-last": lambda name: linear({**DYLORA, "update": "last"}, *dylora("last"))(name),
    "increlora": linear(INCRELORA, increlora, increase, orthogonal),
    "dynamic_dora": linear(
        {
            **{"type": "dynamic_dora", "r": 6, "target_r": 3, "alpha": 6, "interval": 2},
            **{"first_share": 0.1, "last_share": 0.6, "beta": 0.9, "variance": 0.1},
        },
        dynamic_dora,
        dynamic_choice,
        variance,
    ),
    **{
        f"sharelora-{share.lower()}": lambda name, share=share: linear(
            {"type": "lora", "r": 4, "alpha": 8, "sharing": {"type": "sharelora", "share": share}}, sharelora(share)
        )(name)
        for share in ("A", "B", "AB")
    },
}

if __name__ == "__main__":
    run(CASES)
