/** @file What tokenizer_config.json changes about tokenizer.json when transformers loads both. */
import { member, type JsonValue } from "./json-value.ts";
import { isRecord } from "../../../shared/wire.ts";

/** The parts of tokenizer.json that the configuration may override. */
export interface Parts {
  readonly normalizer: JsonValue;
  readonly preTokenizer: JsonValue;
}

/**
 * Applies the settings that transformers' tokenizer classes (4 and 5) apply, with their defaults: for BERT
 * `do_lower_case` and its kin, for GPT-2 and RoBERTa `add_prefix_space`. Where no class is named, and for
 * every other class, tokenizer.json is taken as it is; so transformers 5 does with `add_bos_token` too.
 */
export function overriddenParts(tokenizer: JsonValue, config: JsonValue): Parts {
  const kind = tokenizerClass(config);
  const normalizer = member(tokenizer, "normalizer");
  const preTokenizer = member(tokenizer, "pre_tokenizer");
  const stated = (name: string, fallback: boolean | null): boolean | null => {
    const { value } = member(config, name);
    return typeof value === "boolean" ? value : fallback;
  };
  return {
    normalizer:
      kind === "BertTokenizer"
        ? withSettings(normalizer, "BertNormalizer", {
            lowercase: stated("do_lower_case", true),
            strip_accents: stated("strip_accents", null),
            handle_chinese_chars: stated("tokenize_chinese_chars", true),
          })
        : normalizer,
    preTokenizer:
      kind === "GPT2Tokenizer" || kind === "RobertaTokenizer"
        ? withSettings(preTokenizer, "ByteLevel", {
            add_prefix_space: stated("add_prefix_space", false),
          })
        : preTokenizer,
  };
}

/** The class without the suffix of its fast form, which is the only one there is here. */
function tokenizerClass(config: JsonValue): string {
  const { value } = member(config, "tokenizer_class");
  return typeof value === "string" ? value.replace(/Fast$/, "") : "";
}

function withSettings(
  part: JsonValue,
  type: string,
  settings: Readonly<Record<string, boolean | null>>,
): JsonValue {
  return isRecord(part.value) && part.value.type === type
    ? { ...part, value: { ...part.value, ...settings } }
    : part;
}
