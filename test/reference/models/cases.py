"""The configurations, as config.json of the hub spells them, and the batches of each case."""

import numpy as np

from deterministic import fnv1a64, splitmix64

VOCABULARY = 96
BATCHES = 3
LENGTHS = (11, 8, 5)

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 48,
    "initializer_range": 0.02,
    "intermediate_size": 96,
    "max_position_embeddings": 128,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "float32",
    "transformers_version": "4.46.0",
    "use_cache": True,
    "vocab_size": VOCABULARY,
}
LLAMA3_ROPE = {
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
    "rope_type": "llama3",
}
# The wave lengths of head size 12 at theta 10000 are 6, 29, 135 …: with 32 original positions one is kept,
# one lies between the two factors, the rest are divided.
MISTRAL = {
    **LLAMA,
    "architectures": ["MistralForCausalLM"],
    "model_type": "mistral",
    "rms_norm_eps": 1e-05,
    "sliding_window": 4096,
    "rope_theta": 1000000.0,
}
for key in ("attention_bias", "mlp_bias", "pretraining_tp", "rope_scaling"):
    del MISTRAL[key]
QWEN2 = {
    "architectures": ["Qwen2ForCausalLM"],
    "attention_dropout": 0.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "hidden_size": 48,
    "initializer_range": 0.02,
    "intermediate_size": 96,
    "max_position_embeddings": 128,
    "max_window_layers": 2,
    "model_type": "qwen2",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "sliding_window": 128,
    "tie_word_embeddings": True,
    "torch_dtype": "float32",
    "transformers_version": "4.46.0",
    "use_cache": True,
    "use_sliding_window": False,
    "vocab_size": VOCABULARY,
}
QWEN3 = {
    **QWEN2,
    "architectures": ["Qwen3ForCausalLM"],
    "attention_bias": False,
    "head_dim": 16,
    "model_type": "qwen3",
    "rope_scaling": None,
    "sliding_window": None,
    "tie_word_embeddings": False,
}
GPT2 = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.1,
    "bos_token_id": 2,
    "embd_pdrop": 0.1,
    "eos_token_id": 2,
    "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 64,
    "n_embd": 48,
    "n_head": 4,
    "n_layer": 2,
    "n_positions": 64,
    "resid_pdrop": 0.1,
    "summary_activation": None,
    "summary_first_dropout": 0.1,
    "summary_proj_to_labels": True,
    "summary_type": "cls_index",
    "summary_use_proj": True,
    "vocab_size": VOCABULARY,
}
BERT = {
    "architectures": ["BertForSequenceClassification"],
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 48,
    "initializer_range": 0.02,
    "intermediate_size": 96,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 64,
    "model_type": "bert",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "vocab_size": VOCABULARY,
}
ROBERTA = {
    **BERT,
    "architectures": ["RobertaForSequenceClassification"],
    "bos_token_id": 0,
    "eos_token_id": 2,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 66,
    "model_type": "roberta",
    "pad_token_id": 1,
    "type_vocab_size": 1,
}
THREE_CLASSES = {
    "id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"},
    "label2id": {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2},
}
ONE_NUMBER = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}

CAUSAL = {
    "llama": LLAMA,
    "llama-tied": {**LLAMA, "tie_word_embeddings": True, "rope_theta": 100000.0},
    "llama-rope-linear": {**LLAMA, "rope_scaling": {"type": "linear", "factor": 2.0}},
    "llama-rope-llama3": {**LLAMA, "rope_scaling": LLAMA3_ROPE},
    "llama-biases": {**LLAMA, "attention_bias": True, "mlp_bias": True, "head_dim": 12},
    "mistral": MISTRAL,
    "qwen2": QWEN2,
    "qwen3": QWEN3,
    "gpt2": GPT2,
}
CLASSIFIERS = {
    "bert-classes": {**BERT, **THREE_CLASSES},
    "bert-pairs-regression": {**BERT, **ONE_NUMBER},
    "roberta-classes": {**ROBERTA, **THREE_CLASSES, "problem_type": "single_label_classification"},
    "roberta-regression": {**ROBERTA, **ONE_NUMBER, "problem_type": "regression"},
}


def whole_numbers(name: str, count: int, low: int, high: int) -> list[int]:
    """`count` whole numbers from low up to, not including, high; a function of the name."""
    states = np.uint64(fnv1a64(name)) + np.arange(count, dtype=np.uint64)
    return [low + int(value >> np.uint64(33)) % (high - low) for value in splitmix64(states)]


def batches(name: str, config: dict, task: str) -> list[dict]:
    """Three batches of three sequences, padded on the right to the longest."""
    pad = config.get("pad_token_id", 0)
    return [batch(f"{name}/{index}", config, task, pad, [n + index for n in LENGTHS]) for index in range(BATCHES)]


def batch(name: str, config: dict, task: str, pad: int, lengths: list[int]) -> dict:
    width = max(lengths)
    ids = [whole_numbers(f"{name}/ids/{row}", n, 3, VOCABULARY) for row, n in enumerate(lengths)]
    result = {
        "inputIds": [row + [pad] * (width - len(row)) for row in ids],
        "attentionMask": [[1] * n + [0] * (width - n) for n in lengths],
    }
    if task == "causal-lm":
        # The second row's first tokens are a prompt, which carries no loss.
        prompts = [0, 3, 0]
        result["labels"] = [
            [-100] * prompt + row[prompt:] + [-100] * (width - len(row)) for row, prompt in zip(ids, prompts)
        ]
        return result
    if config["model_type"] == "bert" and "pairs" in name:
        result["tokenTypeIds"] = [[0] * (n // 2) + [1] * (n - n // 2) + [0] * (width - n) for n in lengths]
    classes = len(config["id2label"])
    if classes == 1:
        result["labels"] = [number / 100 for number in whole_numbers(f"{name}/labels", len(lengths), -150, 250)]
    else:
        result["labels"] = whole_numbers(f"{name}/labels", len(lengths), 0, classes)
    return result
