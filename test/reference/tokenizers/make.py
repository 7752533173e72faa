"""Trains small tokenizers on generated text and writes what Python's `tokenizers` makes of awkward lines.

Run with the packages of requirements.txt in an environment of its own:
    python make.py
writes fixtures/lines.json.gz, fixtures/NAME.json.gz (the tokenizer's files, offsets, pairs, decoded text)
and fixtures/NAME.ids.gz (little-endian uint16: for each line its number of ids, then the ids).
"""

import array
import gzip
import hashlib
import io
import json
import sys
from pathlib import Path

import sentencepiece
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from corpus import awkward_lines, training_text

FOLDER = Path(__file__).parent / "fixtures"
LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
TEXT = training_text()


def special(content, **options):
    return AddedToken(content, special=True, normalized=False, **options)


def train_bpe(tokenizer, size, special_tokens, alphabet=None, limit=None):
    options = {"limit_alphabet": limit} if limit else {}
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special_tokens, initial_alphabet=alphabet or [], show_progress=False, **options
    )
    tokenizer.train_from_iterator(TEXT, trainer)


def changed(tokenizer, change):
    """The tokenizer again, after `change` has edited its JSON."""
    data = json.loads(tokenizer.to_str())
    change(data)
    return Tokenizer.from_str(json.dumps(data))


def byte_level(pattern, normalizer=None):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Sequence(
            [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )
        if pattern
        else pre_tokenizers.ByteLevel(add_prefix_space=False)
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def gpt2():
    tokenizer = byte_level(None)
    train_bpe(tokenizer, 1200, ["<|endoftext|>"], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_tokens([AddedToken("<tool>"), AddedToken("zigzag", single_word=True), AddedToken("été", normalized=True)])
    end = "<|endoftext|>"
    return tokenizer, {"tokenizer_class": "GPT2Tokenizer", "bos_token": end, "eos_token": end, "unk_token": end, "model_max_length": 1024}


def roberta():
    tokenizer = byte_level(None)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    train_bpe(tokenizer, 1000, ["<s>", "<pad>", "</s>", "<unk>"], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.add_special_tokens([special("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=False, add_prefix_space=False)
    names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return tokenizer, {"tokenizer_class": "RobertaTokenizer", **names, "mask_token": "<mask>", "model_max_length": 512}


def llama3():
    tokenizer = byte_level(LLAMA3)
    train_bpe(tokenizer, 1400, [], pre_tokenizers.ByteLevel.alphabet())
    tokenizer = changed(tokenizer, lambda data: data["model"].update(ignore_merges=True))
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    tokenizer.add_special_tokens([special(name) for name in names])
    begin = tokenizer.token_to_id(names[0])
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single=f"{names[0]} $A", pair=f"{names[0]} $A {names[0]}:1 $B:1", special_tokens=[(names[0], begin)]
            ),
        ]
    )
    return tokenizer, {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": names[0], "eos_token": names[4], "model_max_length": 131072}


def qwen2():
    tokenizer = byte_level(QWEN2, normalizers.NFC())
    train_bpe(tokenizer, 1500, [], pre_tokenizers.ByteLevel.alphabet())
    tokenizer.add_special_tokens([special(name) for name in ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]])
    tokenizer.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("</tool_call>", normalized=False)])
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer, {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "bos_token": None, "model_max_length": 32768}


def sentencepiece_bpe(first):
    """Llama 2's tokenizer: the older conversion (normalizer), or the newer (Metaspace on the first piece)."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    train_bpe(tokenizer, 1500, ["<unk>", "<s>", "</s>", *BYTES], limit=220)

    def change(data):
        data["model"]["byte_fallback"] = True
        data["added_tokens"] = [token for token in data["added_tokens"] if token["id"] < 3]
        if not first:
            data["pre_tokenizer"] = None

    tokenizer = changed(tokenizer, change)
    replace = normalizers.Replace(" ", "▁")
    if first:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), replace])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    tokenizer.add_tokens([AddedToken("▁<PRE>", normalized=False), AddedToken("[INST]", normalized=True)])
    return tokenizer, {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "model_max_length": 4096}


def bert(cased):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=not cased)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=1600, special_tokens=names, limit_alphabet=320, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.add_tokens([AddedToken("[Entity]", rstrip=True), AddedToken("Café", single_word=True, normalized=True)])
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    roles = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return tokenizer, {"tokenizer_class": "BertTokenizer", **roles, "do_lower_case": not cased, "model_max_length": 512}


def charsmap():
    """A small precompiled character map, as SentencePiece makes it from rules (source, target in hexadecimal)."""
    rules = {"\u00a0": " ", "\u3000": " ", "\t": " ", "\n": " ", "\u200b": "", "ﬁ": "fi", "①": "1", "Ａ": "A", "１": "1", "！": "!", "e\u0301": "é",
             "…": "...", "㍿": "株式会社", "İ": "i\u0307", "ｶﾞ": "ガ", "\u1100\u1161": "가", "\u2126": "\u03a9", "a\u0300": "à", "👍🏽": "+", "“": '"', "\u0300": ""}
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "rules.tsv"
    spell = lambda text: " ".join(f"{ord(c):X}" for c in text)
    path.write_text("".join(f"{spell(source)}\t{spell(target)}\n" for source, target in rules.items()))
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT[:500]), model_writer=model, vocab_size=400, hard_vocab_limit=False,
        normalization_rule_tsv=str(path), minloglevel=2,
    )
    path.unlink()
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def unigram_t5():
    """T5's and XLM-R's form: a precompiled character map, Metaspace, an unknown token."""
    import base64

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(charsmap()), normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=1200, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False, shrinking_factor=0.75
    )
    tokenizer.train_from_iterator([line for line in TEXT if max(map(ord, line)) < 0xFFFF], trainer)
    tokenizer.add_special_tokens([special(f"<extra_id_{index}>") for index in range(3)])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer, {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "model_max_length": 512}


def unigram_bytes():
    """Unigram over NFKC text with byte tokens in place of unknown ones."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(prepend_scheme="first"), pre_tokenizers.Digits(individual_digits=True)])
    trainer = trainers.UnigramTrainer(
        vocab_size=1000, special_tokens=["<unk>", "<s>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator([line for line in TEXT if max(map(ord, line)) < 0x3000], trainer)

    def change(data):
        data["model"]["vocab"] += [[token, -20.0] for token in BYTES]
        data["model"]["byte_fallback"] = True

    tokenizer = changed(tokenizer, change)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="first")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    return tokenizer, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "model_max_length": int(1e30)}


MAKERS = {
    "gpt2": gpt2, "roberta": roberta, "llama3": llama3, "qwen2": qwen2,
    "llama2": lambda: sentencepiece_bpe(False), "llama2-first": lambda: sentencepiece_bpe(True),
    "bert-uncased": lambda: bert(False), "bert-cased": lambda: bert(True), "unigram-t5": unigram_t5, "unigram-bytes": unigram_bytes,
}


def write(name, data):
    (FOLDER / name).write_bytes(gzip.compress(data, 9, mtime=0))


def dump(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def utf16(text, offsets):
    """Offsets in UTF-16 code units in place of code points."""
    at = [0]
    for c in text:
        at.append(at[-1] + (2 if ord(c) > 0xFFFF else 1))
    return [at[offset] for pair in offsets for offset in pair]


# Every code point of the planes in use, in blocks of 4096.
CHARACTER_BLOCKS = [start for start in range(0, 0x34000, 0x1000)] + [0xE0000, 0xF0000, 0x10F000]


def digest(tokenizer, start):
    """A hash over the ids of each character of a block, between letters and after a space."""
    characters = [chr(c) for c in range(start, start + 0x1000) if not 0xD800 <= c < 0xE000]
    encodings = tokenizer.encode_batch([f"a{c}b\u0301 {c}" for c in characters], add_special_tokens=False)
    text = ";".join(",".join(map(str, encoding.ids)) for encoding in encodings)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def truncated_pairs(tokenizer, pairs):
    tokenizer.enable_truncation(16)
    ids = [tokenizer.encode(*pair).ids for pair in pairs]
    tokenizer.no_truncation()
    return ids


def main():
    FOLDER.mkdir(exist_ok=True)
    made = {name: make() for name, make in MAKERS.items()}
    added = sorted({token.content for tokenizer, _ in made.values() for token in tokenizer.get_added_tokens_decoder().values()})
    lines = awkward_lines(added)
    write("lines.json.gz", dump(lines))
    for name, (tokenizer, config) in made.items():
        encodings = tokenizer.encode_batch(lines, add_special_tokens=False)
        ids = array.array("H")
        for encoding in encodings:
            ids.append(len(encoding.ids))
            ids.extend(encoding.ids)
        if sys.byteorder != "little":
            ids.byteswap()
        if name != "roberta":  # GPT-2's splitting again; its pairs and mask token are in the other file
            write(f"{name}.ids.gz", ids.tobytes())
        some = range(0, len(lines), 20)
        pairs = [tokenizer.encode(lines[i], lines[i + 7], add_special_tokens=True) for i in some]
        write(
            f"{name}.json.gz",
            dump(
                {
                    "tokenizer": json.loads(tokenizer.to_str()),
                    "config": config,
                    "size": tokenizer.get_vocab_size(with_added_tokens=True),
                    "offsets": [utf16(lines[i], encodings[i].offsets) for i in some],
                    "pairs": [[pair.ids, pair.type_ids] for pair in pairs],
                    "truncated": truncated_pairs(tokenizer, [(lines[i], lines[i + 7]) for i in some]),
                    "characters": [digest(tokenizer, block) for block in CHARACTER_BLOCKS],
                    "singles": [tokenizer.encode(lines[i], add_special_tokens=True).ids for i in some],
                    "decoded": [tokenizer.decode(pair.ids, skip_special_tokens=False) for pair in pairs],
                    "plain": [tokenizer.decode(pair.ids, skip_special_tokens=True) for pair in pairs],
                }
            ),
        )
        unknown = tokenizer.token_to_id(config.get("unk_token") or "")
        share = sum(e.ids.count(unknown) for e in encodings) / sum(len(e.ids) for e in encodings)
        print(f"{name}: {sum(len(e.ids) for e in encodings)} ids, unknown {share:.3f}")


main()
