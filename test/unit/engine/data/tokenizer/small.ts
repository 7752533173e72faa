/** @file Small tokenizers for tests, built by hand. */
import { characterOfByte } from "../../../../../src/engine/data/tokenizer/byte-characters.ts";
import {
  createTokenizer,
  type Tokenizer,
} from "../../../../../src/engine/data/tokenizer/tokenizer.ts";

/** One token for each byte, with every field that Python's `tokenizers` asks for, split as GPT-2 does, with `<s>`, `</s>`, `<pad>` and the merge of "t" and "h". */
export const byteTokenizerFile = {
  model: {
    type: "BPE",
    vocab: {
      ...Object.fromEntries(characterOfByte.map((character, byte) => [character, byte])),
      th: 256,
    },
    merges: [["t", "h"]],
  },
  normalizer: null,
  pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
  post_processor: null,
  decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true },
  added_tokens: ["<s>", "</s>", "<pad>", "<|user|>", "<|assistant|>"].map((content, index) => ({
    id: 257 + index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
};

export const byteTokenizerConfig = { bos_token: "<s>", eos_token: "</s>", pad_token: "<pad>" };

export function byteTokenizer(
  changes: Readonly<Record<string, unknown>> = {},
  config: Readonly<Record<string, unknown>> = byteTokenizerConfig,
): Tokenizer {
  return createTokenizer({
    tokenizer: { file: "tokenizer.json", value: { ...byteTokenizerFile, ...changes } },
    config: { file: "tokenizer_config.json", value: config },
  });
}

/** The post-processor that puts `<s>` first. */
export const withBeginning = {
  type: "TemplateProcessing",
  single: [{ SpecialToken: { id: "<s>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
  pair: [
    { SpecialToken: { id: "<s>", type_id: 0 } },
    { Sequence: { id: "A", type_id: 0 } },
    { Sequence: { id: "B", type_id: 1 } },
  ],
  special_tokens: { "<s>": { id: "<s>", ids: [257], tokens: ["<s>"] } },
};

/** A word-level tokenizer with `[CLS] A [SEP] B [SEP]`, as BERT lays texts out. */
export function wordTokenizer(words: readonly string[]): Tokenizer {
  const names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", ...words];
  return createTokenizer({
    tokenizer: {
      file: "tokenizer.json",
      value: {
        model: {
          type: "WordLevel",
          unk_token: "[UNK]",
          vocab: Object.fromEntries(names.map((name, id) => [name, id])),
        },
        pre_tokenizer: { type: "WhitespaceSplit" },
        post_processor: { type: "BertProcessing", cls: ["[CLS]", 2], sep: ["[SEP]", 3] },
        added_tokens: [],
      },
    },
    config: {
      file: "tokenizer_config.json",
      value: { pad_token: "[PAD]", cls_token: "[CLS]", sep_token: "[SEP]", model_max_length: 16 },
    },
  });
}
