"""Rows of control.py that peft lacks: the papers' formulas at their own starts, on the sample's base.

A case takes a learning rate and a number of steps; it gives the model, the optimizer, what happens before a forward, after
a backward and after a step, and what stands beside the loss.
"""

import copy
import math

import torch
from make_formulas import freezing, growing, increase, orthogonal, soft_threshold, svd
from make_rounded import whole_numbers
from sample import adamw, base, encoded, factor, loss_of, padded, rows, trained
from sites import sites


def kaiming(*shape) -> torch.Tensor:
    return torch.nn.init.kaiming_uniform_(torch.empty(*shape), a=math.sqrt(5))


def linear(setup, hooks=lambda all_sites, steps: {}, penalty=lambda all_sites: None, rule=adamw):
    """A method at every linear layer; `setup` makes a site's tensors and its weight."""

    def case(lr, steps):
        model, all_sites = sites(base())
        for site in all_sites:
            setup(site)
            # Found by `trained`, and so clipped and stepped.
            for key, p in site.own.items():
                site.register_parameter(f"own_{key}", p)
        return model, rule(model, lr), hooks(all_sites, steps), penalty(all_sites)

    return case


def lora_xs(site, r=60, alpha=16):
    U, S, Vh = svd(site.W)
    site.trains(R=torch.zeros(r, r))
    site.weight = lambda: site.W + alpha / r * (U[:, :r] * S[:r]) @ site["R"] @ Vh[:r]


def lora_sb(lr, steps, r=60, alpha=16, samples=50):
    """Frames and core of the first step of full fine-tuning, at the rate of the first step of warm-up."""
    G, first = gradients(samples), lr * factor(1, steps)

    def setup(site):
        U, S, Vh = svd(-first * G[site.site].sign())
        site.trains(R=torch.diag(S[:r]) * r / alpha)
        site.weight = lambda: site.W + alpha / r * U[:, :r] @ site["R"] @ Vh[:r]

    return linear(setup)(lr, steps)


def gradients(samples: int) -> dict:
    """Of the mean of single examples' mean losses, by each linear layer's weight."""
    model = base()
    for row in rows("train.jsonl")[:samples]:
        total, count = loss_of(model, padded([encoded(row)]))
        (total / count / samples).backward()
    return {name: p.grad for name, p in ((n.removesuffix(".weight"), p) for n, p in model.named_parameters()) if "_proj" in name}


def loldu(site, r=160, alpha=8):
    r = min(r, *site.W.shape)
    P, L, U = torch.linalg.lu(site.W.double())
    D = U.diagonal()
    B, A = (P @ L)[:, :r].float(), (U / D[:, None])[:r].float()
    z, gamma = D[:r].float(), torch.full((1,), alpha / r)
    rest = site.W - gamma * (B * z) @ A
    site.trains(z=z.clone(), gamma=gamma)
    site.weight = lambda: rest + site["gamma"] * (B * site["z"]) @ A


def lamda(site, r=14, alpha=16):
    U, S, Vh = svd(site.W)
    site.trains(B=torch.zeros(site.out, r), C=torch.eye(r))
    site.weight = lambda: site.W + alpha / r * site["B"] @ site["C"] @ Vh[:r]


def peqa(site, bits=4):
    q, s, z = whole_numbers(site.W, bits, site.width)
    site.trains(t=torch.ones(site.out, 1))
    site.weight = lambda: site["t"] * (s * (q - z)).reshape(site.out, site.width)


def sora(site, r=8, alpha=16):
    site.trains(A=kaiming(r, site.width), B=torch.zeros(site.out, r), g=torch.randn(r))
    site.weight = lambda: site.W + alpha / r * (site["B"] * site["g"]) @ site["A"]


def increlora(site, ranks=16, alpha=16):
    made = lambda *shape: 0.02 * torch.randn(*shape)
    site.trains(A=made(ranks, site.width), B=made(ranks, site.out), e=torch.zeros(ranks))
    growing(site, alpha)


def norms(lr, steps):
    model = base()
    for name, p in model.named_parameters():
        p.requires_grad_("norm" in name)
    return model, adamw(model, lr), {}, None


def in_turns(turns):
    """Full fine-tuning where tensors outside the step's turn get no gradient."""

    def case(lr, steps):
        model = base()
        model.train(False)
        optimizer = adamw(model, lr)

        def backward(t):
            for name, p in model.named_parameters():
                if not turns(model, t, name):
                    p.grad = None

        return model, optimizer, {"backward": backward}, None

    return case


def blocks_of(model) -> int:
    return len(model.model.layers) + 2


def block_of(model, name: str) -> int:
    """Embedding, layers, head with the last norm."""
    return 0 if "embed_tokens" in name else int(name.split(".")[2]) + 1 if ".layers." in name else blocks_of(model) - 1


def hift(lr, steps):
    """One block at a time, from the bottom; the rate stays for a whole turn."""
    turns = lambda model, t, name: block_of(model, name) == (t - 1) % blocks_of(model)
    model, optimizer, hooks, penalty = in_turns(turns)(lr, steps)
    count = blocks_of(model)

    def before(t):
        for group in optimizer.param_groups:
            group["lr"] = lr * factor((t - 1) // count * count, steps)

    return model, optimizer, {**hooks, "before": before}, penalty


def sgd(lr, steps):
    model = base()
    model.train(False)
    return model, torch.optim.SGD(trained(model), lr=lr), {}, None


def mezo(lr, steps):
    """The slope along z instead of the gradient; of a step of 1e-3 to both sides it differs by no more than rounding."""
    model, _, _, _ = sgd(lr, steps)
    state = {}

    def drawn(t):
        generator = torch.Generator().manual_seed(t)
        return [torch.randn(p.shape, generator=generator) for p in trained(model)]

    def backward(t):
        state["slope"] = sum((p.grad * z).sum() for p, z in zip(trained(model), drawn(t), strict=True))

    @torch.no_grad()
    def step():
        state["t"] = state.get("t", 0) + 1
        for p, z in zip(trained(model), drawn(state["t"]), strict=True):
            p.sub_(optimizer.param_groups[0]["lr"] * state["slope"] * z)

    optimizer = torch.optim.SGD(trained(model), lr=lr)
    optimizer.step = step
    return model, optimizer, {"backward": backward}, None


def lst(lr, steps, reduction=8, temperature=0.1):
    """Layers of the model's own kind, narrower, beside it; the head reads the ladder alone."""
    model = base()
    model.requires_grad_(False)
    config = copy.deepcopy(model.config)
    hidden = config.hidden_size
    # Whole heads of the model's size, a network of whole eights.
    size = hidden // config.num_attention_heads
    heads = max(1, round(config.num_attention_heads / reduction))
    narrow = heads * size
    config.hidden_size, config.head_dim = narrow, size
    config.num_attention_heads = config.num_key_value_heads = heads
    config.intermediate_size = 8 * math.ceil(config.intermediate_size / reduction / 8)
    model.config.use_cache = False
    side = torch.nn.Module()
    kind = type(model.model.layers[0])
    side.layers = torch.nn.ModuleList(kind(config, k).float() for k in range(len(model.model.layers)))
    side.down = torch.nn.ParameterList(kaiming(narrow, hidden) for _ in model.model.layers)
    side.gates = torch.nn.ParameterList(torch.zeros(1) for _ in model.model.layers)
    side.enter, side.leave = torch.nn.Parameter(kaiming(narrow, hidden)), torch.nn.Parameter(kaiming(hidden, narrow))
    turned = type(model.model.rotary_emb)(config)
    model.side = side
    state = {}
    model.model.embed_tokens.register_forward_hook(lambda _, __, result: state.update(z=result @ side.enter.T))
    for index, layer in enumerate(model.model.layers):

        def after(_, args, kwargs, result, index=index):
            h = result[0] if isinstance(result, tuple) else result
            g = torch.sigmoid(side.gates[index] / temperature)
            z = g * state["z"] + (1 - g) * h @ side.down[index].T
            places = turned(z, kwargs["position_ids"])
            z = side.layers[index](z, **{**kwargs, "position_embeddings": places})
            state["z"] = z[0] if isinstance(z, tuple) else z

        layer.register_forward_hook(after, with_kwargs=True)
    model.model.norm.register_forward_pre_hook(lambda *_: (state["z"] @ side.leave.T,))
    return model, adamw(model, lr), {}, None


def mixlora(lr, steps, r=2, experts=8, top=2, coefficient=0.01):
    """Each expert computed whole; the balance loss of each layer over the tokens that are no padding."""
    model = base()
    model.requires_grad_(False)
    balance, real = [], {}

    def remember(_, args, kwargs):
        balance.clear()
        mask = kwargs.get("attention_mask")
        real["mask"] = slice(None) if mask is None else mask.flatten().bool()

    model.register_forward_pre_hook(remember, with_kwargs=True)
    for layer in model.model.layers:
        mlp = layer.mlp
        mlp.router = torch.nn.Parameter(0.02 * torch.randn(experts, model.config.hidden_size))
        for kind in ("gate_proj", "up_proj", "down_proj"):
            m, n = getattr(mlp, kind).weight.shape
            mlp.register_parameter(f"{kind}_A", torch.nn.Parameter(kaiming(experts * r, n)))
            mlp.register_parameter(f"{kind}_B", torch.nn.Parameter(torch.zeros(m, experts * r)))

        def forward(x, mlp=mlp):
            inputs = x.flatten(0, 1)

            def expert(kind, h, e):
                part = slice(e * r, (e + 1) * r)
                A, B = getattr(mlp, f"{kind}_A")[part], getattr(mlp, f"{kind}_B")[:, part]
                return getattr(mlp, kind)(h) + 2 * h @ A.T @ B.T

            probabilities = (inputs @ mlp.router.T).softmax(1)
            best = probabilities.topk(top, 1)
            weights = torch.zeros_like(probabilities).scatter(1, best.indices, best.values / best.values.sum(1, keepdim=True))
            total = 0
            for e in range(experts):
                h = mlp.act_fn(expert("gate_proj", inputs, e)) * expert("up_proj", inputs, e)
                total = total + weights[:, e : e + 1] * expert("down_proj", h, e)
            taken = (weights > 0)[real["mask"]].float().mean(0)
            balance.append(coefficient * experts * (taken * probabilities[real["mask"]].mean(0)).sum())
            return total.reshape(x.shape)

        mlp.forward = forward
    return model, adamw(model, lr), {}, lambda: sum(balance)


CASES = {
    "lora_xs": linear(lora_xs),
    "lora_sb": lora_sb,
    "loldu": linear(loldu),
    "lamda": linear(lamda, lambda all_sites, steps: freezing(0.3, 14, steps)(all_sites)),
    "peqa": linear(peqa),
    "sora": linear(sora, lambda all_sites, steps: soft_threshold(all_sites)),
    "increlora": linear(
        increlora,
        lambda all_sites, steps: increase(all_sites, budget=8, first=0, interval=10, top=12, beta1=0.85, beta2=0.85),
        lambda all_sites: orthogonal(all_sites, weight=0.1, budget=8),
    ),
    "norms": norms,
    "hift": hift,
    "lst": lst,
    "mixlora": mixlora,
    "mezo": mezo,
    "lomo": sgd,
}

