/** @file A tokenizer in the form of Hugging Face's tokenizer.json: text to ids, with offsets, and back. */
import { at } from "../../../shared/errors.ts";
import { isRecord } from "../../../shared/wire.ts";
import {
  addedTokenExtractor,
  originalRange,
  readAddedToken,
  readAddedTokens,
} from "./added-tokens.ts";
import { alignedText } from "./aligned-text.ts";
import { readBpe } from "./bpe.ts";
import { overriddenParts } from "./config-overrides.ts";
import { readDecoder } from "./decoders.ts";
import { entries, jsonValue, member, text, type JsonValue } from "./json-value.ts";
import type { Model } from "./model.ts";
import { readNormalizer, unsupported } from "./normalizers.ts";
import { readPostProcessor, type Part } from "./post-processors.ts";
import { needsOrigins, readPreTokenizer } from "./pre-tokenizers.ts";
import { readUnigram } from "./unigram.ts";
import { checkedId } from "./vocabulary.ts";
import { readWordLevel, readWordPiece } from "./wordpiece.ts";

/** The parsed files of a tokenizer; names are for messages. */
export interface TokenizerFiles {
  readonly tokenizer: { readonly file: string; readonly value: unknown };
  /** tokenizer_config.json, and special_tokens_map.json for what it leaves out. */
  readonly config?: { readonly file: string; readonly value: unknown } | undefined;
  readonly specialTokens?: { readonly file: string; readonly value: unknown } | undefined;
}

const specialRoles = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"] as const;
export type SpecialRole = (typeof specialRoles)[number];

export interface EncodeOptions {
  /** Whether the post-processor's tokens go around the text; they do unless told otherwise. */
  readonly addSpecialTokens?: boolean;
  /** The second text of a pair. */
  readonly pair?: string | undefined;
  /** Whether to give {@link Encoding.offsets}. */
  readonly offsets?: boolean;
  /** At most this many ids, special tokens included: ends are cut, of a pair the longer text's first. */
  readonly maxLength?: number | undefined;
  /** Of each text only so many ids are wanted, which are those that the whole text begins with; more may come. */
  readonly first?: number | undefined;
}

export interface Encoding {
  readonly ids: readonly number[];
  /** 0 for the first text and 1 for the second, where the tokenizer tells them apart. */
  readonly typeIds: readonly number[];
  /**
   * `[start, end]` of each id in UTF-16 code units of the text (or the pair) it came from, flat; a token that
   * the post-processor put there has `[-1, -1]`. A leading space belongs to its word. Empty unless asked for.
   */
  readonly offsets: readonly number[];
}

export interface Tokenizer {
  encode(text: string, options?: EncodeOptions): Encoding;
  /** Ids that the vocabulary lacks are left out, as Python's `tokenizers` does. */
  decode(ids: ArrayLike<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
  tokenOf(id: number): string | undefined;
  /** The token of each role that the configuration names and the vocabulary has. */
  readonly special: Readonly<
    Partial<Record<SpecialRole, { readonly token: string; readonly id: number }>>
  >;
  /** Number of tokens, added ones included: Python's `len(tokenizer)`. */
  readonly vocabSize: number;
  readonly largestId: number;
}

/** Builds a tokenizer from its parsed files; throws a UserError that names the field at fault. */
export function createTokenizer(files: TokenizerFiles): Tokenizer {
  const root = jsonValue(files.tokenizer.file, files.tokenizer.value);
  const config = jsonValue(
    files.config?.file ?? "tokenizer_config.json",
    files.config?.value ?? {},
  );
  const map = jsonValue(
    files.specialTokens?.file ?? "special_tokens_map.json",
    files.specialTokens?.value ?? {},
  );
  const model = readModel(member(root, "model"));
  const added = withConfiguredTokens(readAddedTokens(member(root, "added_tokens")), config);
  const addedIds = new Map(added.map((token) => [token.content, token.id]));
  const addedById = new Map(added.map((token) => [token.id, token]));
  const idOf = (token: string): number | undefined => addedIds.get(token) ?? model.ids.get(token);

  const roleNames = new Map(
    specialRoles.flatMap((role) => {
      const token = roleToken(config, map, role);
      return token === undefined ? [] : [[role, token] as const];
    }),
  );
  const special = Object.fromEntries(
    [...roleNames].flatMap(([role, token]) => {
      const id = idOf(token);
      return id === undefined ? [] : [[role, { token, id }] as const];
    }),
  );
  // What is left out when special tokens are skipped.
  const specialIds = new Set([
    ...added.filter((token) => token.special).map((token) => token.id),
    ...Object.values(special).map((token) => token.id),
  ]);
  const parts = overriddenParts(root, config);
  const normalize = readNormalizer(parts.normalizer);
  const extract = addedTokenExtractor(added, normalize);
  const split = readPreTokenizer(parts.preTokenizer);
  const track = needsOrigins(parts.preTokenizer);
  const arrange = readPostProcessor(member(root, "post_processor"));
  const decodeTokens = readDecoder(member(root, "decoder"));

  const encodeText = (subject: string, typeId: number, offsets: boolean, first: number): Part => {
    const ids: number[] = [];
    const ranges: number[] = [];
    const part = { ids, offsets: ranges, typeId };
    for (const { piece, token } of extract(alignedText(subject.toWellFormed(), offsets || track))) {
      if (token !== undefined) {
        ids.push(token.id);
        if (offsets) ranges.push(...originalRange(piece, 0, piece.text.length));
        if (ids.length >= first) return part;
        continue;
      }
      for (const word of split(piece)) {
        const found = model.tokenize(word.text, first - ids.length);
        for (const id of found.ids) ids.push(id);
        if (offsets)
          for (let index = 0; index < found.spans.length; index += 2)
            ranges.push(...originalRange(word, at(found.spans, index), at(found.spans, index + 1)));
        if (ids.length >= first) return part;
      }
    }
    return part;
  };

  /** The spelling that decoding sees: an added token that matches normalized text has its normalized form. */
  const spelledById = new Map(
    added.map((token) => [
      token.id,
      token.normalized ? normalize(alignedText(token.content, false)).text : token.content,
    ]),
  );
  const sizes = [...added.map((token) => token.id), model.tokens.length - 1];

  return {
    encode(subject, options = {}) {
      const { addSpecialTokens = true, pair, offsets = false, maxLength } = options;
      // Which text of a pair is cut depends on both of their lengths.
      const most = options.first ?? (pair === undefined ? maxLength : undefined) ?? Infinity;
      const texts = [encodeText(subject, 0, offsets, most)];
      if (pair !== undefined) texts.push(encodeText(pair, 1, offsets, most));
      const room =
        maxLength === undefined
          ? Infinity
          : maxLength - arrangedLength(arrange.arrange(texts.map(emptied), addSpecialTokens));
      return join(arrange.arrange(truncate(texts, Math.max(0, room)), addSpecialTokens));
    },
    decode(ids, { skipSpecialTokens = false } = {}) {
      const tokens: string[] = [];
      for (let index = 0; index < ids.length; index += 1) {
        const id = at(ids, index);
        if (skipSpecialTokens && specialIds.has(id)) continue;
        const token = spelledById.get(id) ?? model.tokens[id];
        if (token !== undefined) tokens.push(token);
      }
      return decodeTokens(tokens).join("");
    },
    tokenOf: (id) => addedById.get(id)?.content ?? model.tokens[id],
    special,
    vocabSize: model.ids.size + added.filter((token) => !model.ids.has(token.content)).length,
    largestId: sizes.reduce((largest, id) => Math.max(largest, id), -1),
  };
}

function readModel(config: JsonValue): Model {
  const type = member(config, "type");
  // Files of the first versions leave the type out; a merge list tells BPE.
  const kind =
    type.value === undefined && member(config, "merges").value !== undefined ? "BPE" : text(type);
  switch (kind) {
    case "BPE":
      return readBpe(config);
    case "WordPiece":
      return readWordPiece(config);
    case "WordLevel":
      return readWordLevel(config);
    case "Unigram":
      return readUnigram(config);
    default:
      throw unsupported(config, "model", kind);
  }
}

/** The added tokens of tokenizer.json with those that only tokenizer_config.json has. */
function withConfiguredTokens(
  added: ReturnType<typeof readAddedTokens>,
  config: JsonValue,
): ReturnType<typeof readAddedTokens> {
  const more = member(config, "added_tokens_decoder");
  if (more.value === undefined) return added;
  const known = new Set(added.map((token) => token.content));
  const missing = entries(more)
    .map(([id]) => readAddedToken(member(more, id), checkedId(more, id, Number(id))))
    .filter((token) => !known.has(token.content));
  return [...added, ...missing];
}

/** `"</s>"` or `{ "content": "</s>" }`. */
function roleToken(config: JsonValue, map: JsonValue, role: SpecialRole): string | undefined {
  const stated = [member(config, `${role}_token`).value, member(map, `${role}_token`).value];
  for (const value of stated) {
    if (typeof value === "string") return value;
    if (isRecord(value) && typeof value.content === "string") return value.content;
  }
  return undefined;
}

function emptied(part: Part): Part {
  return { ...part, ids: [], offsets: [] };
}

function arrangedLength(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + part.ids.length, 0);
}

/** Cuts ends until `room` ids are left; of a pair, the longer text first (`longest_first`). */
function truncate(texts: readonly Part[], room: number): readonly Part[] {
  if (arrangedLength(texts) <= room) return texts;
  const [first, second] = texts;
  if (first === undefined || second === undefined) return texts.map((part) => cut(part, room));
  const shorter = Math.min(first.ids.length, second.ids.length);
  const kept = 2 * shorter <= room ? shorter : Math.floor(room / 2);
  const rest = room - kept;
  return first.ids.length > second.ids.length
    ? [cut(first, rest), cut(second, kept)]
    : [cut(first, kept), cut(second, rest)];
}

function cut(part: Part, length: number): Part {
  return { ...part, ids: part.ids.slice(0, length), offsets: part.offsets.slice(0, 2 * length) };
}

function join(parts: readonly Part[]): Encoding {
  const ids: number[] = [];
  const typeIds: number[] = [];
  const offsets: number[] = [];
  const withOffsets = parts.some((part) => part.offsets.some((offset) => offset >= 0));
  for (const part of parts) {
    for (const id of part.ids) {
      ids.push(id);
      typeIds.push(part.typeId);
    }
    if (withOffsets) for (const offset of part.offsets) offsets.push(offset);
  }
  return { ids, typeIds, offsets };
}
