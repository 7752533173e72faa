/** @file WordPiece and word-level models: the longest known pieces of a word from left to right, or the word itself. */
import { codePointWidth, lastCodePointStart } from "./aligned-text.ts";
import { count, member, refuse, text, textOr, type JsonValue } from "./json-value.ts";
import { cached, tokensById, type Model, type PieceTokens } from "./model.ts";
import { readVocabulary } from "./vocabulary.ts";

/** Reads the `model` of a tokenizer file whose type is WordPiece. */
export function readWordPiece(config: JsonValue): Model {
  const ids = readVocabulary(member(config, "vocab"));
  const unknown = requiredUnknown(config, ids, "[UNK]");
  const prefix = textOr(member(config, "continuing_subword_prefix"), "##");
  const limit = member(config, "max_input_chars_per_word");
  const longest = limit.value === undefined ? 100 : count(limit);
  const tokenize = (piece: string): PieceTokens => {
    const pieceUnknown = { ids: [unknown], spans: [0, piece.length] };
    if (countCodePoints(piece) > longest) return pieceUnknown;
    const found: { ids: number[]; spans: number[] } = { ids: [], spans: [] };
    for (let start = 0; start < piece.length;) {
      let end = piece.length;
      let id: number | undefined;
      for (; end > start; end = lastCodePointStart(piece, end)) {
        id = ids.get((start > 0 ? prefix : "") + piece.slice(start, end));
        if (id !== undefined) break;
      }
      if (id === undefined) return pieceUnknown;
      found.ids.push(id);
      found.spans.push(start, end);
      start = end;
    }
    return found;
  };
  return { ids, tokens: tokensById(ids), tokenize: cached(tokenize) };
}

/** Reads the `model` of a tokenizer file whose type is WordLevel. */
export function readWordLevel(config: JsonValue): Model {
  const ids = readVocabulary(member(config, "vocab"));
  const unknown = requiredUnknown(config, ids, "<unk>");
  return {
    ids,
    tokens: tokensById(ids),
    tokenize: (piece) => ({ ids: [ids.get(piece) ?? unknown], spans: [0, piece.length] }),
  };
}

function requiredUnknown(
  config: JsonValue,
  ids: ReadonlyMap<string, number>,
  fallback: string,
): number {
  const token = member(config, "unk_token");
  const name = token.value === undefined ? fallback : text(token);
  return ids.get(name) ?? refuse(token, "a token of the vocabulary");
}

function countCodePoints(piece: string): number {
  let characters = 0;
  for (let index = 0; index < piece.length; index += codePointWidth(piece, index)) characters += 1;
  return characters;
}
