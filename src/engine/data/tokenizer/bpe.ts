/** @file Byte-pair encoding: characters merged pair by pair in the order of a merge list. */
import { at } from "../../../shared/errors.ts";
import { codePointWidth, lastCodePointStart } from "./aligned-text.ts";
import {
  asList,
  element,
  flag,
  items,
  member,
  refuse,
  textOr,
  type JsonValue,
} from "./json-value.ts";
import { byteFallback, cached, tokensById, type Model, type PieceTokens } from "./model.ts";
import { mergeTable, type MergeTable } from "./merge-table.ts";
import { readVocabulary } from "./vocabulary.ts";

/** Reads the `model` of a tokenizer file whose type is BPE. */
export function readBpe(config: JsonValue): Model {
  const ids = readVocabulary(member(config, "vocab"));
  const prefix = textOr(member(config, "continuing_subword_prefix"), "");
  const merges = readMerges(member(config, "merges"), ids, prefix);
  const alphabet = {
    ids,
    prefix,
    suffix: textOr(member(config, "end_of_word_suffix"), ""),
    unknown: unknownId(member(config, "unk_token"), ids),
    fuseUnknown: flag(member(config, "fuse_unk"), false),
    byteFallback: flag(member(config, "byte_fallback"), false),
  };
  const wholeWords = flag(member(config, "ignore_merges"), false);
  const tokens = tokensById(ids);
  const merge = cached((part: string) => mergeSymbols(spellPiece(part, alphabet), merges));
  const isWhole = alphabet.prefix === "" && alphabet.suffix === "";
  let isSeam: IsSeam | undefined;
  const tokenize = (piece: string, first = Infinity): PieceTokens => {
    const whole = wholeWords ? ids.get(piece) : undefined;
    if (whole !== undefined) return { ids: [whole], spans: [0, piece.length] };
    if (piece.length <= longPiece || !isWhole) return merge(piece);
    isSeam ??= seams(ids, tokens, merges);
    return inParts(piece, isSeam, merge, first);
  };
  return { ids, tokens, tokenize };
}

/** Longer pieces than most words are merged in parts, which come again where whole pieces do not. */
const longPiece = 48;

/** Whether nothing ever merges across the place between two code points. */
type IsSeam = (before: number, after: number) => boolean;

/**
 * A merge joins the last character of its left token to the first of its right one: where none joins these two,
 * what stands on either side is merged as if the other were not there. A character that the vocabulary lacks may
 * become one unknown token with its neighbours, so that no seam is beside it.
 */
function seams(
  ids: ReadonlyMap<string, number>,
  tokens: readonly (string | undefined)[],
  merges: MergeTable,
): IsSeam {
  const joint = (before: number, after: number): number => before * 0x110000 + after;
  const joints = new Set<number>();
  for (const [left, right] of merges.pairs()) {
    const [before, after] = [tokens[left] ?? "", tokens[right] ?? ""];
    const last = before.codePointAt(lastCodePointStart(before, before.length));
    joints.add(joint(last ?? 0, after.codePointAt(0) ?? 0));
  }
  const known = new Set<number>();
  for (const token of ids.keys()) {
    const character = token.codePointAt(0) ?? 0;
    if (token.length === (character > 0xffff ? 2 : 1)) known.add(character);
  }
  return (before, after) =>
    known.has(before) && known.has(after) && !joints.has(joint(before, after));
}

/** Merges the parts between seams, and no more of them than hold `first` tokens. */
function inParts(
  piece: string,
  isSeam: IsSeam,
  merge: (part: string) => PieceTokens,
  first: number,
): PieceTokens {
  const found: { ids: number[]; spans: number[] } = { ids: [], spans: [] };
  let start = 0;
  for (let end = 0; end < piece.length && found.ids.length < first;) {
    const before = piece.codePointAt(end) ?? 0;
    end += before > 0xffff ? 2 : 1;
    if (end < piece.length && !isSeam(before, piece.codePointAt(end) ?? 0)) continue;
    const { ids, spans } = merge(piece.slice(start, end));
    for (const id of ids) found.ids.push(id);
    for (const span of spans) found.spans.push(start + span);
    start = end;
  }
  return found;
}

interface Alphabet {
  readonly ids: ReadonlyMap<string, number>;
  readonly prefix: string;
  readonly suffix: string;
  readonly unknown: number | undefined;
  readonly fuseUnknown: boolean;
  readonly byteFallback: boolean;
}

/** A doubly linked list of symbols in flat arrays. */
interface Symbols {
  readonly ids: number[];
  readonly starts: number[];
  readonly ends: number[];
}

function unknownId(token: JsonValue, ids: ReadonlyMap<string, number>): number | undefined {
  const name = textOr(token, undefined);
  return name === undefined
    ? undefined
    : (ids.get(name) ?? refuse(token, "a token of the vocabulary"));
}

/** Merges as pairs, or as strings with one space between (files from before 2024). */
function readMerges(list: JsonValue, ids: ReadonlyMap<string, number>, prefix: string): MergeTable {
  const merges = items(list);
  const table = mergeTable(merges.length);
  const pairOfTokens = (index: number): never => refuse(element(list, index), "a pair of tokens");
  merges.forEach((merge, rank) => {
    const pair = typeof merge === "string" ? merge.split(" ") : asList(merge);
    const [left, right] = pair?.length === 2 ? pair : [];
    if (typeof left !== "string" || typeof right !== "string") return pairOfTokens(rank);
    const known = (token: string): number =>
      ids.get(token) ??
      refuse(element(list, rank), `made of tokens of the vocabulary, which has no \`${token}\``);
    table.set(known(left), known(right), rank, known(left + right.slice(prefix.length)));
  });
  return table;
}

/** The characters of a piece as symbols; what the vocabulary lacks becomes bytes, the unknown token, or nothing. */
function spellPiece(piece: string, alphabet: Alphabet): Symbols {
  const symbols: Symbols = { ids: [], starts: [], ends: [] };
  const push = (id: number, start: number, end: number): void => {
    symbols.ids.push(id);
    symbols.starts.push(start);
    symbols.ends.push(end);
  };
  let unknownFrom = -1;
  let unknownTo = -1;
  const flush = (): void => {
    if (unknownFrom >= 0 && alphabet.unknown !== undefined)
      push(alphabet.unknown, unknownFrom, unknownTo);
    unknownFrom = -1;
  };
  for (let start = 0; start < piece.length;) {
    const end = start + codePointWidth(piece, start);
    const character = `${start > 0 ? alphabet.prefix : ""}${piece.slice(start, end)}${end === piece.length ? alphabet.suffix : ""}`;
    const id = alphabet.ids.get(character);
    // `tokenizers` does not flush a pending unknown before bytes: with some byte tokens missing they change places.
    const bytes =
      id === undefined && alphabet.byteFallback ? byteFallback(character, alphabet.ids) : undefined;
    if (id !== undefined) {
      flush();
      push(id, start, end);
    } else if (bytes !== undefined) for (const byte of bytes) push(byte, start, end);
    else {
      if (!alphabet.fuseUnknown) flush();
      if (unknownFrom < 0) unknownFrom = start;
      unknownTo = end;
    }
    start = end;
  }
  flush();
  return symbols;
}

/** Applies merges, lowest rank first and leftmost among equals. */
function mergeSymbols(symbols: Symbols, merges: MergeTable): PieceTokens {
  const { ids, starts, ends } = symbols;
  const size = ids.length;
  const next = Int32Array.from({ length: size }, (_, index) => index + 1);
  const previous = Int32Array.from({ length: size }, (_, index) => index - 1);
  const queue: number[] = [];
  const offer = (left: number): void => {
    const right = left < 0 ? size : at(next, left);
    if (right >= size) return;
    const slot = merges.find(at(ids, left), at(ids, right));
    if (slot >= 0) pushSmallest(queue, merges.rank(slot) * positions + left);
  };
  for (let index = 0; index + 1 < size; index += 1) offer(index);
  while (queue.length > 0) {
    const key = popSmallest(queue);
    const left = key % positions;
    const right = at(next, left);
    if (at(ids, left) < 0 || right >= size) continue;
    const slot = merges.find(at(ids, left), at(ids, right));
    if (slot < 0 || merges.rank(slot) !== Math.floor(key / positions)) continue;
    ids[left] = merges.merged(slot);
    ends[left] = at(ends, right);
    ids[right] = -1;
    next[left] = at(next, right);
    if (at(next, right) < size) previous[at(next, right)] = left;
    offer(at(previous, left));
    offer(left);
  }
  const result: { ids: number[]; spans: number[] } = { ids: [], spans: [] };
  for (let index = 0; index < size; index = at(next, index)) {
    result.ids.push(at(ids, index));
    result.spans.push(at(starts, index), at(ends, index));
  }
  return result;
}

/** Queue keys are `rank · positions + position`: exact in a double for ranks below 2²², pieces below 2³¹. */
const positions = 2 ** 31;

function pushSmallest(heap: number[], key: number): void {
  let child = heap.push(key) - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (at(heap, parent) <= key) break;
    heap[child] = at(heap, parent);
    child = parent;
  }
  heap[child] = key;
}

function popSmallest(heap: number[]): number {
  const smallest = at(heap, 0);
  const key = heap.pop() ?? smallest;
  const size = heap.length;
  let parent = 0;
  while (2 * parent + 1 < size) {
    let child = 2 * parent + 1;
    if (child + 1 < size && at(heap, child + 1) < at(heap, child)) child += 1;
    if (key <= at(heap, child)) break;
    heap[parent] = at(heap, child);
    parent = child;
  }
  if (size > 0) heap[parent] = key;
  return smallest;
}
