/** @file What a tokenizer file may say, what it may not, and what the configuration changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../../../../src/shared/errors.ts";
import { createTokenizer } from "../../../../../src/engine/data/tokenizer/tokenizer.ts";
import { byteTokenizer, byteTokenizerFile, withBeginning, wordTokenizer } from "./small.ts";

const bytes = (text: string): readonly number[] => [...new TextEncoder().encode(text)];

test("offsets name the code units a token came from, and nothing for tokens that no text stands behind", () => {
  const tokenizer = byteTokenizer({ post_processor: withBeginning });
  const { ids, offsets } = tokenizer.encode("é the😀</s>", { offsets: true });
  assert.deepEqual(ids, [257, 0xc3, 0xa9, 0x20, 256, 0x65, ...bytes("😀"), 258]);
  assert.deepEqual(offsets, [-1, -1, 0, 1, 0, 1, 1, 2, 2, 4, 4, 5, 5, 7, 5, 7, 5, 7, 5, 7, 7, 11]);
  assert.deepEqual(tokenizer.encode("é").offsets, []);
});

test("lone surrogates become the replacement character, as in any UTF-8 file", () => {
  assert.deepEqual(byteTokenizer().encode("a\ud800b").ids, bytes("a\ufffdb"));
});

test("roles come from the configuration, and their ids count as special", () => {
  const tokenizer = byteTokenizer({}, { eos_token: { content: "th" }, pad_token: "<none>" });
  assert.deepEqual(tokenizer.special, { eos: { token: "th", id: 256 } });
  assert.equal(tokenizer.decode([97, 256, 257, 98], { skipSpecialTokens: true }), "ab");
  assert.equal(tokenizer.vocabSize, 262);
});

test("tokens that only tokenizer_config.json adds are known", () => {
  const tokenizer = byteTokenizer(
    {},
    {
      added_tokens_decoder: {
        262: { content: "<new>", special: true, normalized: false },
        257: { content: "<s>" },
      },
    },
  );
  assert.deepEqual(tokenizer.encode("a<new>").ids, [97, 262]);
  assert.equal(tokenizer.largestId, 262);
  assert.equal(tokenizer.tokenOf(262), "<new>");
});

test("BERT's and GPT-2's classes settle their own settings, as in transformers", () => {
  const first = (changes: object, config: object, text: string): number | undefined =>
    byteTokenizer({ ...changes }, { ...config }).encode(text).ids[0];
  const spaced = { pre_tokenizer: { type: "ByteLevel", add_prefix_space: true } };
  assert.equal(first(spaced, {}, "a"), 32);
  assert.equal(first(spaced, { tokenizer_class: "GPT2TokenizerFast" }, "a"), 97);
  assert.equal(first({}, { tokenizer_class: "RobertaTokenizer", add_prefix_space: true }, "a"), 32);
  const cased = { normalizer: { type: "BertNormalizer", lowercase: false } };
  assert.equal(first(cased, {}, "A"), 65);
  assert.equal(first(cased, { tokenizer_class: "BertTokenizer" }, "A"), 97);
  const bert = { tokenizer_class: "BertTokenizer", do_lower_case: false };
  assert.equal(first({ normalizer: { type: "BertNormalizer", lowercase: true } }, bert, "A"), 65);
});

test("a pair is cut longest first, and special tokens count", () => {
  const tokenizer = wordTokenizer(["a", "b"]);
  const cut = (maxLength: number): string =>
    tokenizer
      .encode("a a a a", { pair: "b b", maxLength })
      .ids.map((id) => tokenizer.tokenOf(id))
      .join(" ");
  assert.equal(cut(9), "[CLS] a a a a [SEP] b b [SEP]");
  assert.equal(cut(7), "[CLS] a a [SEP] b b [SEP]");
  assert.equal(cut(6), "[CLS] a a [SEP] b [SEP]");
  assert.equal(cut(1), "[CLS] [SEP] [SEP]");
});

const broken: readonly (readonly [what: string, file: unknown, message: RegExp])[] = [
  ["no object", [], /`model.type` is missing/],
  ["no vocabulary", { model: { type: "BPE", merges: [] } }, /`model.vocab` is missing/],
  [
    "an id that is none",
    { model: { type: "WordLevel", vocab: { "<unk>": -1 } } },
    /`model.vocab.<unk>` is -1/,
  ],
  ["an absurd id", { model: { type: "WordLevel", vocab: { "<unk>": 1e9 } } }, /an id from 0 to/],
  [
    "a merge of one",
    { model: { type: "BPE", vocab: { a: 0 }, merges: [["a"]] } },
    /`model.merges\[0\]`/,
  ],
  [
    "a merge of strangers",
    { model: { type: "BPE", vocab: { a: 0 }, merges: ["a b"] } },
    /has no `b`/,
  ],
  [
    "a piece without score",
    { model: { type: "Unigram", vocab: [["a"]] } },
    /a token and its score/,
  ],
  [
    "a missing unknown",
    { model: { type: "WordPiece", vocab: {} } },
    /`model.unk_token` is missing/,
  ],
  ["an unknown model", { model: { type: "Neural" } }, /model `Neural` is not supported/],
  [
    "an unknown normalizer",
    { ...byteTokenizerFile, normalizer: { type: "Magic" } },
    /normalizer `Magic`/,
  ],
  [
    "an unknown pre-tokenizer",
    { ...byteTokenizerFile, pre_tokenizer: { type: "UnicodeScripts" } },
    /UnicodeScripts/,
  ],
  [
    "a bad expression",
    { ...byteTokenizerFile, pre_tokenizer: { type: "Split", pattern: { Regex: "(?<n>a)" } } },
    /cannot be run here/,
  ],
  [
    "a bad character map",
    { ...byteTokenizerFile, normalizer: { type: "Precompiled", precompiled_charsmap: "AAAA" } },
    /character map/,
  ],
  [
    "an added token without id",
    { ...byteTokenizerFile, added_tokens: [{ content: "x" }] },
    /`added_tokens\[0\].id`/,
  ],
  [
    "a slot of a stranger",
    { ...byteTokenizerFile, post_processor: { ...withBeginning, special_tokens: {} } },
    /one of `special_tokens`/,
  ],
];
for (const [what, value, message] of broken)
  test(`${what} is refused by name`, () => {
    assert.throws(
      () => createTokenizer({ tokenizer: { file: "x/tokenizer.json", value } }),
      (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        assert.equal(error.place?.file, "x/tokenizer.json");
        assert.ok(error.remedy);
        return true;
      },
    );
  });
