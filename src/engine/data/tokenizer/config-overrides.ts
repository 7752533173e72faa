/** @file What tokenizer_config.json changes about tokenizer.json when transformers loads both. */
import { isRecord, member, type JsonValue } from "./json-value.ts";

/** The parts of tokenizer.json that the configuration may override. */
export interface Parts {
  readonly normalizer: JsonValue;
  readonly preTokenizer: JsonValue;
  readonly postProcessor: JsonValue;
}

/**
 * Applies the settings that transformers' tokenizer classes apply: `do_lower_case` and its kin for BERT,
 * `add_prefix_space` for GPT-2 and RoBERTa, `add_bos_token` and `add_eos_token` for Llama and Gemma.
 * A setting that the file leaves out changes nothing, even where the class has a default of its own.
 */
export function overriddenParts(
  tokenizer: JsonValue,
  config: JsonValue,
  special: { readonly bos: string | undefined; readonly eos: string | undefined },
  idOf: (token: string) => number | undefined,
): Parts {
  const kind = tokenizerClass(config);
  const normalizer = member(tokenizer, "normalizer");
  const preTokenizer = member(tokenizer, "pre_tokenizer");
  const postProcessor = member(tokenizer, "post_processor");
  return {
    normalizer:
      kind === "BertTokenizer" && member(normalizer, "type").value === "BertNormalizer"
        ? withSettings(normalizer, config, {
            lowercase: "do_lower_case",
            strip_accents: "strip_accents",
            handle_chinese_chars: "tokenize_chinese_chars",
          })
        : normalizer,
    preTokenizer:
      /^(GPT2|Roberta)Tokenizer$/.test(kind) && member(preTokenizer, "type").value === "ByteLevel"
        ? withSettings(preTokenizer, config, { add_prefix_space: "add_prefix_space" })
        : preTokenizer,
    postProcessor: /^(Llama|CodeLlama|Gemma)Tokenizer$/.test(kind)
      ? withSequenceMarks(postProcessor, config, special, idOf)
      : postProcessor,
  };
}

/** The class without the suffix of its fast form, which is the only one there is here. */
function tokenizerClass(config: JsonValue): string {
  const { value } = member(config, "tokenizer_class");
  return typeof value === "string" ? value.replace(/Fast$/, "") : "";
}

/** `part` with the settings that the configuration states; `names` maps the part's word to the configuration's. */
function withSettings(
  part: JsonValue,
  config: JsonValue,
  names: Readonly<Record<string, string>>,
): JsonValue {
  const stated = Object.entries(names).flatMap(([own, theirs]) => {
    const { value } = member(config, theirs);
    return typeof value === "boolean" ? [[own, value] as const] : [];
  });
  if (!isRecord(part.value) || stated.length === 0) return part;
  return { ...part, value: { ...part.value, ...Object.fromEntries(stated) } };
}

/** The template that `add_bos_token` and `add_eos_token` ask for, where either is stated. */
function withSequenceMarks(
  postProcessor: JsonValue,
  config: JsonValue,
  special: { readonly bos: string | undefined; readonly eos: string | undefined },
  idOf: (token: string) => number | undefined,
): JsonValue {
  const bosStated = member(config, "add_bos_token").value;
  const eosStated = member(config, "add_eos_token").value;
  if (typeof bosStated !== "boolean" && typeof eosStated !== "boolean") return postProcessor;
  const mark = (token: string | undefined): readonly string[] =>
    token !== undefined && idOf(token) !== undefined ? [token] : [];
  // Both classes put the beginning there unless told otherwise, and the end only when told to.
  const before = bosStated === false ? [] : mark(special.bos);
  const after = eosStated === true ? mark(special.eos) : [];
  const around = (id: "A" | "B", type_id: number): readonly unknown[] => [
    ...before.map((token) => ({ SpecialToken: { id: token, type_id } })),
    { Sequence: { id, type_id } },
    ...after.map((token) => ({ SpecialToken: { id: token, type_id } })),
  ];
  const value = {
    type: "TemplateProcessing",
    single: around("A", 0),
    pair: [...around("A", 0), ...around("B", 1)],
    special_tokens: Object.fromEntries(
      [...before, ...after].map((token) => [token, { id: token, ids: [idOf(token)] }]),
    ),
  };
  return { ...postProcessor, value };
}
