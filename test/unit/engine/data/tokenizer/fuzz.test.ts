/** @file Damaged tokenizer files are refused in words, or work; nothing else is thrown and nothing hangs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../../../../src/shared/errors.ts";
import { philox4x32 } from "../../../../../src/engine/data/batches/philox.ts";
import { createTokenizer } from "../../../../../src/engine/data/tokenizer/tokenizer.ts";
import { byteTokenizerConfig, byteTokenizerFile, withBeginning } from "./small.ts";

const charsmap = Buffer.from([8, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3, 4, 97, 0]).toString(
  "base64",
);
const files: readonly object[] = [
  { ...byteTokenizerFile, post_processor: withBeginning },
  {
    model: {
      type: "Unigram",
      unk_id: 0,
      byte_fallback: true,
      vocab: [
        ["<unk>", 0],
        ["▁a", -1],
        ["b", -2.5],
      ],
    },
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Precompiled", precompiled_charsmap: charsmap },
        { type: "NFKC" },
        { type: "Replace", pattern: { Regex: " {2,}" }, content: "▁" },
        { type: "Strip", strip_left: true, strip_right: true },
        { type: "Prepend", prepend: "▁" },
      ],
    },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Metaspace", replacement: "▁", prepend_scheme: "first" },
        {
          type: "Split",
          pattern: { Regex: "(?i:'s)|\\p{L}+" },
          behavior: "MergedWithNext",
          invert: true,
        },
        { type: "Digits", individual_digits: true },
      ],
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "ByteFallback" },
        { type: "Strip", content: " ", start: 1, stop: 1 },
        { type: "Fuse" },
      ],
    },
    added_tokens: [
      { id: 3, content: "<x>", special: true, lstrip: true, rstrip: true, single_word: true },
    ],
  },
  {
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      vocab: { "[UNK]": 0, a: 1, "##b": 2 },
      max_input_chars_per_word: 5,
    },
    normalizer: { type: "BertNormalizer", lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", sep: ["a", 1], cls: ["[UNK]", 0] },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  },
];
const substitutes: readonly unknown[] = [
  null,
  true,
  -1,
  1.5,
  1e9,
  "",
  "x",
  "Sequence",
  "ByteLevel",
  "(",
  [],
  {},
  ["a"],
  { type: "Split" },
];

/** The file with one value, found by walking at random, replaced. */
function damaged(value: unknown, draw: () => number): unknown {
  const entries: readonly (readonly [string, unknown])[] =
    typeof value === "object" && value !== null ? Object.entries(value) : [];
  if (entries.length === 0 || draw() % 5 === 0) return substitutes[draw() % substitutes.length];
  const [key] = entries[draw() % entries.length] ?? [""];
  const changed = entries.map(
    ([name, member]) => [name, name === key ? damaged(member, draw) : member] as const,
  );
  return Array.isArray(value) ? changed.map(([, member]) => member) : Object.fromEntries(changed);
}

test("a thousand damaged files", () => {
  let refused = 0;
  for (let seed = 0; seed < 1000; seed += 1) {
    let drawn = 0;
    const draw = (): number => philox4x32([drawn++, seed, 0, 0], [1, 2])[0];
    const value = damaged(files[seed % files.length], draw);
    try {
      const tokenizer = createTokenizer({
        tokenizer: { file: "tokenizer.json", value },
        config: { file: "tokenizer_config.json", value: damaged(byteTokenizerConfig, draw) },
      });
      const { ids } = tokenizer.encode(" Ab's  <x> 12é😀\n", {
        offsets: true,
        pair: "b",
        maxLength: 9,
      });
      tokenizer.decode(ids, { skipSpecialTokens: true });
    } catch (error) {
      assert.ok(error instanceof UserError, `seed ${seed}: ${String(error)}`);
      refused += 1;
    }
  }
  assert.ok(refused > 300 && refused < 1000, String(refused));
});
