/** @file The unigram model: of all ways to cut a text into known pieces, the one of the highest score. */
import { at, UserError } from "../../../shared/errors.ts";
import { codePointWidth } from "./aligned-text.ts";
import {
  asList,
  count,
  element,
  flag,
  items,
  member,
  refuse,
  type JsonValue,
} from "./json-value.ts";
import { byteFallback, cached, type Model, type PieceTokens } from "./model.ts";

/** How much worse than the worst piece an unknown character is. */
const unknownPenalty = 10;

/** Reads the `model` of a tokenizer file whose type is Unigram. */
export function readUnigram(config: JsonValue): Model {
  const { ids, scores, tokens } = readPieces(member(config, "vocab"));
  const unknownValue = member(config, "unk_id");
  const unknown = unknownValue.value === undefined ? undefined : count(unknownValue);
  if (unknown !== undefined && unknown >= tokens.length)
    refuse(unknownValue, "an id of the vocabulary");
  const longest = tokens.reduce((longest, token) => Math.max(longest, token.length), 0);
  const unknownScore =
    scores.reduce((worst, score) => Math.min(worst, score), Infinity) - unknownPenalty;
  const search = { ids, scores, longest, unknown, unknownScore };
  const bytes = flag(member(config, "byte_fallback"), false);

  const tokenize = (piece: string): PieceTokens => {
    const found: { ids: number[]; spans: number[] } = { ids: [], spans: [] };
    const path = bestPath(piece, search);
    for (let last = path.length - 2; last >= 0; last -= 2) {
      const [start, end] = [at(path, last), at(path, last + 1)];
      const part = piece.slice(start, end);
      const whole = ids.get(part);
      const spelled = whole === undefined && bytes ? byteFallback(part, ids) : undefined;
      for (const id of spelled ?? [whole ?? unknown ?? missingUnknown(config)]) {
        found.ids.push(id);
        found.spans.push(start, end);
      }
    }
    return found;
  };
  return { ids, tokens, tokenize: cached(tokenize) };
}

interface Search {
  readonly ids: ReadonlyMap<string, number>;
  readonly scores: readonly number[];
  /** Code units of the longest piece. */
  readonly longest: number;
  readonly unknown: number | undefined;
  readonly unknownScore: number;
}

/**
 * The cut of the highest summed score; the earlier start wins among equals; neighbouring unknowns are one. Flat,
 * start and end of each part, the last part first.
 */
function bestPath(piece: string, search: Search): readonly number[] {
  const size = piece.length;
  const best = new Float64Array(size + 1);
  const from = new Int32Array(size + 1).fill(-1);
  const known = new Uint8Array(size + 1);
  const offer = (start: number, end: number, score: number, isKnown: boolean): void => {
    const sum = score + at(best, start);
    if (at(from, end) >= 0 && sum <= at(best, end)) return;
    best[end] = sum;
    from[end] = start;
    known[end] = isKnown ? 1 : 0;
  };
  for (let start = 0; start < size;) {
    const single = start + codePointWidth(piece, start);
    let hasSingle = false;
    for (let end = start + 1; end <= Math.min(size, start + search.longest); end += 1) {
      const id = search.ids.get(piece.slice(start, end));
      if (id === undefined) continue;
      offer(start, end, at(search.scores, id), id !== search.unknown);
      if (end === single) hasSingle = true;
    }
    if (!hasSingle) offer(start, single, search.unknownScore, false);
    start = single;
  }
  const path: number[] = [];
  for (let end = size, afterUnknown = false; end > 0; end = at(from, end)) {
    const isUnknown = at(known, end) === 0;
    if (isUnknown && afterUnknown) path[path.length - 2] = at(from, end);
    else path.push(at(from, end), end);
    afterUnknown = isUnknown;
  }
  return path;
}

function readPieces(vocab: JsonValue): {
  readonly ids: ReadonlyMap<string, number>;
  readonly scores: readonly number[];
  readonly tokens: readonly string[];
} {
  const ids = new Map<string, number>();
  const scores: number[] = [];
  const tokens: string[] = [];
  items(vocab).forEach((entry, id) => {
    const [token, score] = asList(entry) ?? [];
    if (typeof token !== "string" || typeof score !== "number")
      return refuse(element(vocab, id), "a token and its score");
    ids.set(token, id);
    tokens.push(token);
    scores.push(score);
  });
  return { ids, scores, tokens };
}

function missingUnknown(config: JsonValue): never {
  throw new UserError({
    code: "unsupported-tokenizer",
    message: "The text has a character that the tokenizer lacks, and it names no unknown token.",
    place: { file: config.file, field: `${config.path}.unk_id` },
    remedy: "Give the tokenizer an unknown token, or take the character out of the data.",
  });
}
