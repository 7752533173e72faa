"""Records what Python's `re` makes of expressions: fullmatch, and the last match of finditer.

Standard library only; run with Python 3.11 or later (3.11.7 made the committed file):

    python test/reference/python-regex/make.py
"""

import json
import pathlib
import platform
import random
import re
import warnings

warnings.simplefilter("ignore")

NAMES = [
    "model.layers.0.self_attn.q_proj",
    "model.layers.11.mlp.down_proj",
    "transformer.h.3.attn.c_attn",
    "score",
]
AWKWARD = ["", "a", "ab", "aab", "aaa", "abab", "a\n", "a\nb", "\n", "A", "aB", "é", "É", "x_1", "٣", "²", "e\u0301"]
AWKWARD += ["a b", "a\u00a0b", "a\ufeffb", "a\x1cb", "\u2028", "a\r", "😀", "a😀b", "-", "]", "^", "\\", "a-b", "#### 42", "#### 1 #### -2.5"]

PATTERNS = [
    # names of modules, as peft's users write them
    r".*\.(q|v)_proj",
    r".*(self_attn|mlp).*",
    r"model\.layers\.(0|1\d)\..*",
    r"(.*\.)?(q_proj)",
    r".*\.layers\.([0-9]+)\..*_proj",
    r"^.*_proj$",
    r"(?:.*\.)?score",
    r".*\.\d+\.(?!mlp).*",
    r".*(?<=\.)c_attn",
    r"(?i).*Q_PROJ",
    # answers
    r"#### (-?[0-9.,]+)",
    r"(?P<answer>-?\d+)",
    r"####\s*(-?\d+(?:\.\d+)?)",
    # anchors
    r"a$", r"^a", r"\Aa\Z", r"(?m)^a$", r"a\Z", r"(?m)a$", r"$", r"(?m)$", r"^", r"(?m)^", r"\b", r"\B.", r"a\b", r"\ba", r"\ba\b", r"\w\b\W",
    # classes
    r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", r"(?a)\d", r"(?a)\w", r"(?a:\w)", r"(?a)\s", r"\w+", r"[\w-]+", r"[^\w]", r"[\W]", r"[\W\d]", r"[^\W\d]", r"[\s\S]",
    r"a\sb", r"a\Sb", r"(?a)a\sb",
    # sets
    r"[]]", r"[^]]", r"[]a]", r"[a-]", r"[-a]", r"[a\-b]", r"[\]]", r"[a-c]+", r"[^a-c]", r"[.]", r"[$^]", r"[\\]", r"[a^]", r"[\b]", r"[\n]", r"[a&&b]", r"[[a]", r"[a||b]",
    r"[é]", r"[😀]", r"[a-z😀]+", r"[\x61-\x63]", r"[\u00e9]", r"[\101]", r"[\0]",
    # dots and newlines
    r".", r"(?s).", r"a.b", r"(?s)a.b", r"(?s:a.)b", r".*", r"(?s).*", r"(?s:.)(?-s:.)",
    # repeats
    r"a*", r"a+", r"a?", r"a{2}", r"a{1,2}", r"a{,2}", r"a{2,}", r"a{,}", r"a{", r"a{}", r"a{1", r"a{x}", r"{", r"{1}", r"x{1,2", r"a*?", r"a+?b", r"a??", r"a{1,2}?", r"a*+", r"a*+a", r"a++b",
    r"a?+a", r"a{1,2}+a", r"(?:ab)*", r"(?:ab)+", r"(a|ab)(b|)", r"(?:a|ab)*", r"(a*)*", r"(a*)+", r"(?=a)*a", r"(?:)*a",
    # groups and references
    r"(a)\1", r"(?P<x>a)(?P=x)", r"(a)(b)\2", r"(ab)\1", r"(?>a*)a", r"(?>a|ab)b", r"(?#note)a", r"a(?#note)*", r"(?i)(a)\1", r"((a)b)\2", r"(?:(a)|(b))", r"(.)(?:\1)+", r"(?P<é>a)", r"()a", r"(a|)\1",
    # looking around
    r"(?=a)ab", r"a(?=b)b", r"a(?!b).?", r"(?<=a)b", r".(?<=a)b", r"(?<!a)b", r".(?<!a)b", r"(?<=a|b)a", r"(?<=^)a", r".*(?<=ab)", r"(?<=a{2}).*", r"(?=(a))\1b",
    # flags
    r"(?i)ab", r"(?i:a)b", r"a(?i:b)", r"(?i)a(?-i:b)", r"(?i)[a-b]+", r"(?i)[^a]+", r"(?i)É", r"(?x) a b # note", r"(?x)a\ b", r"(?x)[ ]a", r"(?x: a )b", r"(?x)a *", r"(?im)^A$", r"(?u)\w", r"(?i)[É]", r"(?s-i:.)", r"(?ms-i:.)",
    # escapes
    r"\x61", r"\u0061", r"\U00000061", r"\U0001f600", r"\141", r"\0", r"\012", r"\a", r"\f", r"\t", r"\v", r"\n", r"\.", r"\-", r"\é", r"\ ", r"\_", r"\#", r"\/",
    # what Python refuses
    r"(", r")", r"a)", r"[", r"[a", r"[b-a]", r"[\w-a]", r"*", r"+a", r"a**", r"a{2}{3}", r"(?P<1>a)", r"(?P<x>a)(?P<x>b)", r"(?P=y)", r"\1", r"(\1)", r"(a)\2", r"\q", r"[\q]", r"\8", r"a{3,2}",
    r"(?<=a*)b", r"(?<=a|bc)d", r"(?z)a", r"a(?i)b", r"(?L)a", r"(?<a", r"(?", r"(?P", r"(?P<", r"(?#", r"\x6", r"\u006", r"\U00110000", r"^*", r"\b+", r"(?i", r"(?-a:b)", r"(?<x>a)", r"\z", r"\G", r"[\Z]", "\\",
    # what has no counterpart in JavaScript
    r"(a)?(?(1)b|c)", r"\N{DIGIT ONE}", r"(a)?\1b", r"(?:(a)|b)\1",
]


def drawn(rng, depth=0):
    """A random expression, some of them refused by Python."""
    kinds = ["char"] * 6 + ["set", "class", "dot", "anchor", "repeat", "repeat", "repeat"]
    if depth < 3:
        kinds += ["group", "group", "either", "look", "flag", "atomic", "reference"]
    parts = []
    for _ in range(rng.randint(1, 4)):
        kind = rng.choice(kinds)
        if kind == "char":
            parts.append(rng.choice(["a", "b", "A", "0", "_", "-", " ", "é", r"\.", r"\n", "😀", "{", "}", "]"]))
        elif kind == "set":
            inner = "".join(rng.choice(["a", "b-d", r"\w", r"\D", "_", "^", "-", ".", "é", r"\n", "&", "|", "~", "[", "("]) for _ in range(rng.randint(1, 3)))
            parts.append(f"[{rng.choice(['', '^'])}{inner}]")
        elif kind == "class":
            parts.append(rng.choice([r"\w", r"\W", r"\d", r"\D", r"\s", r"\S"]))
        elif kind == "dot":
            parts.append(".")
        elif kind == "anchor":
            parts.append(rng.choice(["^", "$", r"\A", r"\Z", r"\b", r"\B"]))
        elif kind == "repeat":
            bounds = rng.choice(["*", "+", "?", "{2}", "{1,2}", "{,2}"])
            parts.append(f"{rng.choice(['a', 'b', '.', '[ab]', '(?:ab)', '(a)'])}{bounds}{rng.choice(['', '', '?', '+'])}")
        elif kind == "group":
            parts.append(f"({drawn(rng, depth + 1)})")
        elif kind == "either":
            parts.append(f"(?:{drawn(rng, depth + 1)}|{drawn(rng, depth + 1)})")
        elif kind == "look":
            parts.append(f"(?{rng.choice(['=', '!', '<=', '<!'])}{rng.choice(['a', 'ab', '[ab]', 'a|b', '.'])})")
        elif kind == "flag":
            parts.append(f"(?{rng.choice(['i', 's', 'm', 'a', '-i', 'i-s'])}:{drawn(rng, depth + 1)})")
        elif kind == "atomic":
            parts.append(f"(?>{drawn(rng, depth + 1)})")
        else:
            parts.append(r"\1")
    return "".join(parts)


def found(pattern, text):
    """[whole text matched, first group of the last match or None]."""
    last = None
    for last in re.finditer(pattern, text):
        pass
    group = None if last is None else last[1] if re.compile(pattern).groups else last[0]
    return [re.fullmatch(pattern, text) is not None, group]


def row(pattern, texts):
    try:
        re.compile(pattern)
    except re.error as error:
        return {"pattern": pattern, "error": error.msg}
    return {"pattern": pattern, "texts": texts, "found": [found(pattern, text) for text in texts]}


def main():
    rng = random.Random(20)
    rows = [row(pattern, NAMES + AWKWARD) for pattern in PATTERNS]
    seen = set(PATTERNS)
    while len(rows) < len(PATTERNS) + 600:
        pattern = drawn(rng)
        if pattern in seen:
            continue
        seen.add(pattern)
        texts = ["".join(rng.choice("aabbA0_- é.\n😀") for _ in range(rng.randint(0, 6))) for _ in range(8)]
        rows.append(row(pattern, texts))
    lines = ",\n".join(json.dumps(each, ensure_ascii=True, separators=(",", ":")) for each in rows)
    out = pathlib.Path(__file__).parent / "fixtures" / "python-re.json"
    out.write_text(f'{{"python":"{platform.python_version()}","rows":[\n{lines}\n]}}\n')
    print(len(rows), "expressions,", out.stat().st_size, "bytes")


main()
