/** @file Parts of tokenizer files that the trained ones of the reference do not use. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createTokenizer,
  type Tokenizer,
} from "../../../../../src/engine/data/tokenizer/tokenizer.ts";
import { byteTokenizer, byteTokenizerFile } from "./small.ts";

/** A word-level tokenizer around other parts. */
function words(vocabulary: readonly string[], parts: object = {}): Tokenizer {
  const vocab = Object.fromEntries(["?", ...vocabulary].map((word, id) => [word, id]));
  const value = { model: { type: "WordLevel", unk_token: "?", vocab }, ...parts };
  return createTokenizer({ tokenizer: { file: "tokenizer.json", value } });
}

/** Tokens of a text with `|` between. */
function tokens(tokenizer: Tokenizer, text: string): string {
  return tokenizer
    .encode(text)
    .ids.map((id) => tokenizer.tokenOf(id))
    .join("|");
}

test("added tokens swallow white space, match single words, or match normalized text", () => {
  const added = (content: string, flags: object): Tokenizer =>
    byteTokenizer({
      normalizer: { type: "Lowercase" },
      added_tokens: [{ id: 262, content, special: false, normalized: false, ...flags }],
    });
  const space = "Ġ";
  assert.equal(tokens(added("<x>", {}), "a <x> b"), `a|${space}|<x>|${space}|b`);
  assert.equal(tokens(added("<x>", { lstrip: true }), "a \t<x> b"), `a|<x>|${space}|b`);
  assert.equal(tokens(added("<x>", { rstrip: true }), "a <x> \n b"), `a|${space}|<x>|b`);
  assert.equal(tokens(added("<x>", { lstrip: true, rstrip: true }), "<x> <x>"), "<x>|<x>");
  assert.equal(
    tokens(added("ab", { single_word: true }), "ab,xab abé ab"),
    `ab|,|x|a|b|${space}|a|b|Ã|©|${space}|ab`,
  );
  assert.equal(tokens(added("Ab", { normalized: true }), "aB"), "Ab");
  assert.equal(tokens(added("Ab", {}), "aB Ab"), `a|b|${space}|Ab`);
});

test("the longest added token wins where several begin", () => {
  const added_tokens = ["<a", "<a>", "a>b"].map((content, index) => ({
    id: 262 + index,
    content,
    special: true,
  }));
  assert.equal(tokens(byteTokenizer({ added_tokens }), "<a>b<ab"), "<a>|b|<a|b");
});

test("offsets of an added token cover the space it swallowed", () => {
  const added_tokens = [{ id: 262, content: "<x>", special: true, lstrip: true }];
  assert.deepEqual(
    byteTokenizer({ added_tokens }).encode("a  <x>", { offsets: true }).offsets,
    [0, 1, 1, 6],
  );
});

test("unknown characters in BPE: each by itself, fused, or left out", () => {
  const bpe = (model: object): Tokenizer =>
    createTokenizer({
      tokenizer: {
        file: "tokenizer.json",
        value: { model: { type: "BPE", vocab: { a: 0, "?": 1 }, merges: [], ...model } },
      },
    });
  assert.deepEqual(bpe({ unk_token: "?" }).encode("axya").ids, [0, 1, 1, 0]);
  assert.deepEqual(bpe({ unk_token: "?", fuse_unk: true }).encode("axya").ids, [0, 1, 0]);
  assert.deepEqual(bpe({}).encode("axya").ids, [0, 0]);
});

test("BPE with a prefix inside words and a suffix at their end", () => {
  const value = {
    model: {
      type: "BPE",
      vocab: { a: 0, "##b": 1, "##c</w>": 2, "a</w>": 3, ab: 4 },
      merges: ["a ##b"],
      continuing_subword_prefix: "##",
      end_of_word_suffix: "</w>",
    },
    pre_tokenizer: { type: "WhitespaceSplit" },
    decoder: { type: "BPEDecoder", suffix: "</w>" },
  };
  const tokenizer = createTokenizer({ tokenizer: { file: "tokenizer.json", value } });
  assert.equal(tokens(tokenizer, "abc a"), "ab|##c</w>|a</w>");
  assert.equal(tokenizer.decode([3, 3]), "a a");
});

test("characters younger than Unicode 16 are no letters", () => {
  const tokenizer = words(["a"], { pre_tokenizer: { type: "Whitespace" } });
  assert.equal(tokens(tokenizer, "a\u{10940} aб"), "a|?|?");
});

test("splitting: what becomes of the delimiter", () => {
  const all = ["a", "b", "c", "-", "--", "a-", "b-", "-b", "-c"];
  const split = (behavior: string, invert = false): string =>
    tokens(
      words(all, { pre_tokenizer: { type: "Split", pattern: { String: "-" }, behavior, invert } }),
      "a-b--c",
    );
  assert.equal(split("Removed"), "a|b|c");
  assert.equal(split("Isolated"), "a|-|b|-|-|c");
  assert.equal(split("MergedWithPrevious"), "a-|b-|-|c");
  assert.equal(split("MergedWithNext"), "a|-b|-|-c");
  assert.equal(split("Contiguous"), "a|-|b|--|c");
  assert.equal(split("Removed", true), "-|-|-");
});

test("the smaller pre-tokenizers", () => {
  const split = (pre_tokenizer: object, text: string): string => {
    const { ids, offsets } = words([], { pre_tokenizer }).encode(text, { offsets: true });
    return ids.map((_, index) => text.slice(offsets[2 * index], offsets[2 * index + 1])).join("|");
  };
  assert.equal(split({ type: "Digits", individual_digits: true }, "a12b"), "a|1|2|b");
  assert.equal(split({ type: "Digits", individual_digits: false }, "a12b"), "a|12|b");
  assert.equal(split({ type: "Punctuation" }, "a,.b"), "a|,|.|b");
  assert.equal(split({ type: "CharDelimiterSplit", delimiter: "_" }, "a_b__c"), "a|b|c");
  assert.equal(split({ type: "FixedLength", length: 2 }, "a😀bcd"), "a😀|bc|d");
  assert.equal(split({ type: "WhitespaceSplit" }, " a\u3000 b\n"), "a|b");
});

test("the smaller normalizers", () => {
  const model = { type: "WordLevel", unk_token: "?", vocab: { "?": 0, "a b": 1, cafe: 2, σ: 3 } };
  const id = (normalizer: object, text: string): number | undefined =>
    createTokenizer({
      tokenizer: { file: "tokenizer.json", value: { model, normalizer } },
    }).encode(text).ids[0];
  assert.equal(id({ type: "Strip", strip_left: true, strip_right: true }, " \u3000a b\n"), 1);
  assert.equal(id({ type: "Strip", strip_left: false, strip_right: true }, " a b\n"), 0);
  assert.equal(id({ type: "Nmt" }, "a\tb\u0001"), 1);
  const accents = [{ type: "NFD" }, { type: "StripAccents" }];
  assert.equal(id({ type: "Sequence", normalizers: accents }, "café"), 2);
  // Each letter by itself: no final sigma.
  assert.equal(id({ type: "Lowercase" }, "Σ"), 3);
});

test("decoders: bytes that are no text, first spaces, joined punctuation", () => {
  const decode = (decoder: object, vocabulary: readonly string[]): string =>
    words(vocabulary, { decoder }).decode(vocabulary.map((_, index) => index + 1));
  assert.equal(
    decode({ type: "ByteFallback" }, ["<0xE2>", "<0x82>", "a", "<0xC3>", "<0xA9>"]),
    "\ufffd\ufffda\u00e9",
  );
  assert.equal(decode({ type: "Metaspace", replacement: "▁" }, ["▁a", "▁b"]), "a b");
  assert.equal(
    decode({ type: "Metaspace", replacement: "▁", prepend_scheme: "never" }, ["▁a"]),
    " a",
  );
  assert.equal(
    decode({ type: "WordPiece", prefix: "##", cleanup: true }, ["a", "##b", ",", "n't", "c"]),
    "ab,n't c",
  );
  assert.equal(decode({ type: "Strip", content: "_", start: 1, stop: 2 }, ["__a___"]), "_a_");
  assert.equal(words(["a", "b"]).decode([1, 99, 2]), "a b");
  assert.equal(
    byteTokenizer({ decoder: byteTokenizerFile.decoder }).decode([0xff, 0x61]),
    "\ufffda",
  );
});
