"""Generated text: a training corpus in several scripts and ten thousand awkward lines, from fixed seeds."""

import random
import unicodedata

SYLLABLES = {
    "latin": "ba be bi bo bu ca co da de di do fa fe ga go ha he ka ki la le li lo ma me mi mo na ne ni no pa pe "
    "ra re ri ro sa se si so ta te ti to va ve vi wa we za ing tion the and ness er ly".split(),
    "accented": "é è ñ ü ö ç á ő ß æ ø ă ł š ž tré que ción für græ smør".split(),
    "cyrillic": "ба во га де жи за ка ли мо на по ра сту та фы ши щё ют".split(),
    "greek": "α βε γι δο ες θη κα λο μη νυ ος ρη σα της φως".split(),
    "cjk": "的 一 是 在 不 了 有 和 人 这 中 大 为 上 个 国 我 以 要 他 時 來 用 們".split(),
    "kana": "あ い う か き く さ し す ア イ カ ガ キ ギ ー ッ ン".split(),
    "hangul": "가 나 다 라 마 한 국 어 을 를 이 은".split(),
    "arabic": "ا ل م ن و ي ب ت ر س ع ك".split(),
    "hebrew": "א ב ג ה ו י ל מ נ ש ת".split(),
    "devanagari": "क का कि न म र स्त ह त्र ं ी".split(),
    "thai": "ก า น ร อ ที่ เ ม ไ ป".split(),
}
PUNCTUATION = list(".,;:!?-'\"()[]{}<>/\\|@#$%^&*_+=~`") + ["…", "—", "“", "”", "’", "。", "、", "！", "«", "»", "·", "،"]
SPACES = [" ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u2003", "\u3000", "\u2028", "\u2029", "\u0085", "\u200b", "\u1680", "\u202f", "\x0b", "\x0c"]
EMOJI = [
    "😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "🇯🇵🇺", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👨🏿‍🚀", "❤️", "☃", "🧑‍🤝‍🧑", "🤷🏻‍♀️", "‍", "️", "🫠", "🪿",
]
CONTROLS = [chr(c) for c in [*range(0x20), 0x7F, *range(0x80, 0xA0)]] + [
    "\ufeff", "\ufffd", "\ufffe", "\uffff", "\u00ad", "\u200c", "\u200d", "\u200e", "\u202e", "\u2066", "\u2060",
    "\ue000", "\U000f0000", "\U0010ffff", "\u061c", "\u180e",
]
COMPATIBILITY = "ﬁ ﬂ ﬀ Ⅷ ⅷ ½ ¼ ² ³ ¹ ₂ ① ⑳ Ａ ｂ １ ！ ｶﾞ ﾊﾟ ㎏ ㍿ ℃ Å Ω K ſ ẛ̣ 𝐀 𝒷 𝟛 ﷺ ﻼ ª º … ‥ ․ ʰ ㌀ ﹏ 株 ㈱ ☎".split() + ["\u212a", "\u212b", "\u2126", "\u1e9b\u0323", "\uf900", "\U0002f800"]
CASES = "İ ı ẞ ß ŉ ǰ ΑΣ ΟΔΥΣΣΕΥΣ Σ ς ΐ ΰ Ǆ ǅ Ⓐ Ꭰ ꭰ Ა ა DŽ ſs K Å Ǉ ᾈ ᾳ ﬅ".split() + ["\u212a", "\u017f", "A\u03a3", "\u03a3\u0301"]
LOOKALIKES = [
    "<0x0A>", "<0xE2>", "▁", "▁▁the", "Ġ", "Ġthe", "Ċ", "##ing", "##", "[UNK]", "<unk>", "</w>", "<s", "s>", "<|im_", "|>", "<|", "<pad", "[MASK", "ĠĠ", "<0xZZ>", "<0x0a>",
]
CONTRACTIONS = ["'s", "'S", "’s", "'ll", "'LL", "'Ve", "'re", "'d", "'D", "'t", "n't", "'m", "'ſ", "''s", "'sx", " 's"]


def word(rng, script=None):
    script = script or rng.choice(list(SYLLABLES))
    text = "".join(rng.choice(SYLLABLES[script]) for _ in range(rng.randint(1, 4)))
    return rng.choice([text, text, text, text.capitalize(), text.upper()])


def sentence(rng):
    script = rng.choice(["latin"] * 6 + list(SYLLABLES))
    words = [word(rng, script) for _ in range(rng.randint(3, 12))]
    for index in range(len(words)):
        if rng.random() < 0.08:
            words[index] = str(rng.randint(0, 10 ** rng.randint(1, 7)))
        elif rng.random() < 0.08:
            words[index] += rng.choice(CONTRACTIONS)
    return " ".join(words) + rng.choice([".", "!", "?", ".", " ...", ";", ":)"]) + rng.choice(["", "", "", "\n", " 😀", " ❤️"])


def training_text(seed=1, lines=6000):
    rng = random.Random(seed)
    return [sentence(rng) for _ in range(lines)]


def combining(rng):
    marks = "\u0300\u0301\u0302\u0303\u0308\u030a\u0323\u0327\u0328\u0331\u0345\u0338\u05b0\u05bc\u0651\u064b\u093c\u094d\u0e48\u3099\u309a\u20dd\u1ab0\u0315"
    return "".join(
        rng.choice("aeiouAEOUnsczdhqкЕ") + "".join(rng.choice(marks) for _ in range(rng.choice([1, 1, 2, 3, 8])))
        for _ in range(rng.randint(1, 4))
    )


def any_character(rng):
    while True:
        c = chr(rng.choice([rng.randint(0x20, 0x2FFF), rng.randint(0, 0xFFFF), rng.randint(0x10000, 0x1FFFF), rng.randint(0x20000, 0x10FFFF)]))
        if not 0xD800 <= ord(c) < 0xE000:
            return c


def jamo(rng):
    text = "".join(rng.choice(["한국어", "가각", "ᄀ", "ᅡ", "ᆨ", "ᄒ", "ᅥ", "각", "ㄱ", "ㅏ"]) for _ in range(rng.randint(1, 5)))
    return unicodedata.normalize(rng.choice(["NFC", "NFD"]), text)


def number(rng):
    return rng.choice(
        [
            str(rng.randint(0, 10 ** rng.randint(1, 30))),
            f"{rng.random() * 10 ** rng.randint(0, 6):.{rng.randint(0, 8)}f}",
            f"{rng.randint(0, 10**9):,}",
            f"-{rng.randint(0, 999)}e+{rng.randint(0, 99)}",
            f"0x{rng.randint(0, 2**32):X}",
            "".join(rng.choice("٠١٢٣٤٥٦٧٨٩०१२३४५६७८९𝟎𝟙𝟚⁴½Ⅳ〇一二三") for _ in range(rng.randint(1, 6))),
            f"{rng.randint(1, 31):02}/{rng.randint(1, 12):02}/{rng.randint(1900, 2100)}",
        ]
    )


def code(rng):
    return rng.choice(
        [
            f"def {word(rng, 'latin')}({word(rng, 'latin')}):\n    return {{'{word(rng, 'latin')}': [{number(rng)}]}}",
            f"https://{word(rng, 'latin')}.example/{word(rng)}?q={number(rng)}&x=%20#{word(rng, 'latin')}",
            f"\t\tif (a != b && c) {{ x++; }} // {word(rng)}",
            f"<a href=\"{word(rng, 'latin')}\">{word(rng)}</a>",
            f"{word(rng, 'latin')}_{word(rng, 'latin')}-{word(rng, 'latin')}.{word(rng, 'latin')}@{word(rng, 'latin')}.org",
            "{\"" + word(rng) + "\": null, \"\\u0041\": \"\\n\"}",
        ]
    )


def spaces(rng):
    run = rng.choice([1, 1, 2, 2, 3, 4, 7, 16, 40])
    if rng.random() < 0.6:
        return rng.choice(SPACES) * run
    return "".join(rng.choice(SPACES) for _ in range(run))


def awkward_lines(added, seed=2, count=10000):
    """`added`: contents of the added tokens of every tokenizer, glued into the text."""
    rng = random.Random(seed)
    parts = [
        (word, 30), (lambda r: " " + word(r), 30), (spaces, 18), (lambda r: r.choice(EMOJI), 10), (combining, 8),
        (lambda r: r.choice(CONTROLS), 8), (lambda r: r.choice(added), 14), (number, 8), (lambda r: r.choice(PUNCTUATION) * r.choice([1, 1, 1, 2, 3, 9]), 16),
        (any_character, 10), (jamo, 3), (lambda r: r.choice(COMPATIBILITY), 6), (lambda r: r.choice(CASES), 5), (lambda r: r.choice(LOOKALIKES), 5),
        (lambda r: word(r, "latin") + r.choice(CONTRACTIONS), 6), (code, 2), (lambda r: "".join(any_character(r) for _ in range(3)), 3),
        (lambda r: r.choice(added)[: r.randint(1, 9)], 3),
    ]
    makers, weights = zip(*parts)
    lines = ["", " ", "\n", "a", "\u0000", "é", "e\u0301", "한", "😀", "▁", "  ", " a", "a ", "\ufeffa"]
    lines += [token for token in added] + [f"x{token}y" for token in added] + [f"  {token}  " for token in added]
    lines += ["a" * 99, "a" * 100, "a" * 101, "é" * 100, "漢" * 120, "!" * 300, " " * 300 + "x", "\n" * 120, "ab" * 400, "9" * 200, "\u0301" * 60]
    lines += [unicodedata.normalize("NFD", "Żółć gęślą jaźń Ệ"), unicodedata.normalize("NFC", "Żółć gęślą jaźń Ệ")]
    while len(lines) < count:
        pieces = rng.choices(makers, weights, k=rng.choice([1, 1, 2, 2, 3, 3, 4, 5, 6, 9]))
        lines.append("".join(piece(rng) for piece in pieces))
    return lines[:count]
