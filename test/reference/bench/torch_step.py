"""One LoRA training step in PyTorch, transformers and peft, timed: the yardstick beside the engine's own.

    python torch_step.py [--mode eager|compile] [--steps 5] [--warmup 2] [--threads 2] [--batch 4] [--length 256] [--layers 30]

The SmolLM-135M shape with random weights, LoRA of rank 8 on all linear layers, AdamW, float32, sdpa. A step is
forward, backward, clipping to norm 1, update. Prints one line of JSON; peakRssBytes is of the whole process.
"""

import argparse
import json
import os
import resource
import statistics
import time
from importlib.metadata import version

parser = argparse.ArgumentParser()
parser.add_argument("--mode", choices=("eager", "compile"), default="eager")
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--warmup", type=int, default=2)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--length", type=int, default=256)
parser.add_argument("--layers", type=int, default=30)
options = parser.parse_args()
# Read when torch is loaded.
os.environ.update(OMP_NUM_THREADS=str(options.threads), HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="")

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM


def product_gflops(repeats: int = 20) -> float:
    """Median rate of warm 1024 x 2048 x 2048 products: what this machine gives at this moment."""
    a, b = torch.rand(1024, 2048), torch.rand(2048, 2048)
    times = []
    for repeat in range(repeats + 3):
        start = time.perf_counter()
        a @ b
        times.append(time.perf_counter() - start)
    return 2 * 1024 * 2048 * 2048 / statistics.median(times[3:]) / 1e9


torch.manual_seed(0)
torch.set_num_threads(options.threads)
config = LlamaConfig(
    vocab_size=49152,
    hidden_size=576,
    intermediate_size=1536,
    num_hidden_layers=options.layers,
    num_attention_heads=9,
    num_key_value_heads=3,
    max_position_embeddings=2048,
    tie_word_embeddings=True,
    use_cache=False,
    attn_implementation="sdpa",
)
model = get_peft_model(
    LlamaForCausalLM(config),
    LoraConfig(r=8, lora_alpha=16, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"),
).train()
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=2e-4)
ids = torch.randint(0, config.vocab_size, (options.batch, options.length))
compute = torch.compile(model) if options.mode == "compile" else model


def step() -> float:
    start = time.perf_counter()
    loss = compute(input_ids=ids, labels=ids).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return time.perf_counter() - start


before = product_gflops()
first = step()
for _ in range(options.warmup - 1):
    step()
times = [step() for _ in range(options.steps)]
after = product_gflops()
seconds = statistics.median(times)
print(
    json.dumps(
        {
            "mode": options.mode,
            "tokensPerSecond": options.batch * options.length / seconds,
            "stepSeconds": seconds,
            # What is left of the median's noise where the machine has other work.
            "fastestStepSeconds": min(times),
            "allStepSeconds": times,
            "firstStepSeconds": first,
            "peakRssBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "trainableParameters": sum(parameter.numel() for parameter in trained),
            "productGflops": {"before": before, "after": after},
            "shape": {"batch": options.batch, "length": options.length, "layers": options.layers},
            "threads": options.threads,
            "versions": {package: version(package) for package in ("torch", "transformers", "peft")},
        }
    )
)
