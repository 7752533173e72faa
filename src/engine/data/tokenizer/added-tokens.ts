/** @file Added tokens: taken out of the text whole, before anything else splits it. */
import { at } from "../../../shared/errors.ts";
import {
  alignedText,
  lastCodePointStart,
  sliceAligned,
  codePointWidth,
  type AlignedText,
} from "./aligned-text.ts";
import { isWordCharacter, leadingSpace, trailingSpace } from "./characters.ts";
import { elements, flag, member, text, type JsonValue } from "./json-value.ts";
import type { Normalizer } from "./normalizers.ts";
import { checkedId } from "./vocabulary.ts";

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Matches only where no word character touches it. */
  readonly singleWord: boolean;
  /** Swallows the white space before or after it. */
  readonly leftStrip: boolean;
  readonly rightStrip: boolean;
  /** Matches in the normalized text, in its own normalized form. */
  readonly normalized: boolean;
  /** Left out when text is decoded for reading. */
  readonly special: boolean;
}

/** Reads `added_tokens` of tokenizer.json, whose elements carry their id. */
export function readAddedTokens(list: JsonValue): readonly AddedToken[] {
  if (list.value === undefined) return [];
  return elements(list).map((token) =>
    readAddedToken(token, checkedId(token, "id", member(token, "id").value)),
  );
}

export function readAddedToken(token: JsonValue, id: number): AddedToken {
  const special = flag(member(token, "special"), false);
  return {
    id,
    content: text(member(token, "content")),
    singleWord: flag(member(token, "single_word"), false),
    leftStrip: flag(member(token, "lstrip"), false),
    rightStrip: flag(member(token, "rstrip"), false),
    normalized: flag(member(token, "normalized"), !special),
    special,
  };
}

/** A stretch of text: either one added token or text still to be split. */
export interface Stretch {
  readonly piece: AlignedText;
  readonly token: AddedToken | undefined;
}

/** Splits a text at added tokens and normalizes what lies between, no further than the caller asks for. */
export type Extract = (source: AlignedText) => Iterable<Stretch>;

export function addedTokenExtractor(tokens: readonly AddedToken[], normalize: Normalizer): Extract {
  const before = finder(
    tokens.filter((token) => !token.normalized),
    (token) => token.content,
  );
  const after = finder(
    tokens.filter((token) => token.normalized),
    (token) => normalize(alignedText(token.content, false)).text,
  );
  return function* (source) {
    for (const stretch of before(source))
      if (stretch.token === undefined) yield* after(normalize(stretch.piece));
      else yield stretch;
  };
}

interface TrieNode {
  readonly next: Map<number, TrieNode>;
  token: AddedToken | undefined;
}

/** Finds the leftmost, and there the longest, token again and again. */
function finder(tokens: readonly AddedToken[], spelling: (token: AddedToken) => string): Extract {
  const root: TrieNode = { next: new Map(), token: undefined };
  for (const token of tokens) {
    const spelled = spelling(token);
    if (spelled !== "") insert(root, spelled, token);
  }
  return function* (source) {
    const { text: subject } = source;
    let done = 0;
    for (let index = 0; index < subject.length;) {
      const found = root.next.has(subject.charCodeAt(index))
        ? longest(root, subject, index)
        : undefined;
      if (found === undefined) {
        index += 1;
        continue;
      }
      const { token } = found;
      const end = token.rightStrip ? leadingSpace(subject, found.end) : found.end;
      const start = token.leftStrip ? Math.max(trailingSpace(subject, index), done) : index;
      if (!token.singleWord || standsAlone(subject, index, found.end)) {
        if (start > done) yield { piece: sliceAligned(source, done, start), token: undefined };
        yield { piece: sliceAligned(source, start, end), token };
        done = end;
      }
      index = found.end;
    }
    if (done < subject.length)
      yield { piece: sliceAligned(source, done, subject.length), token: undefined };
  };
}

function insert(root: TrieNode, spelled: string, token: AddedToken): void {
  let node = root;
  for (let index = 0; index < spelled.length; index += 1) {
    const unit = spelled.charCodeAt(index);
    const next = node.next.get(unit) ?? { next: new Map<number, TrieNode>(), token: undefined };
    node.next.set(unit, next);
    node = next;
  }
  node.token = token;
}

function longest(
  root: TrieNode,
  subject: string,
  start: number,
): { readonly token: AddedToken; readonly end: number } | undefined {
  let found: { readonly token: AddedToken; readonly end: number } | undefined;
  let node: TrieNode | undefined = root;
  for (let index = start; index < subject.length; index += 1) {
    node = node.next.get(subject.charCodeAt(index));
    if (node === undefined) break;
    if (node.token !== undefined) found = { token: node.token, end: index + 1 };
  }
  return found;
}

function standsAlone(subject: string, start: number, end: number): boolean {
  const before = start > 0 ? subject.slice(lastCodePointStart(subject, start), start) : "";
  const after = end < subject.length ? subject.slice(end, end + codePointWidth(subject, end)) : "";
  return !isWordCharacter(before) && !isWordCharacter(after);
}

/** The original range that a stretch of aligned text covers. */
export function originalRange(
  piece: AlignedText,
  start: number,
  end: number,
): readonly [number, number] {
  const { origins } = piece;
  if (origins === undefined || end <= start) return [-1, -1];
  return [at(origins, 2 * start), at(origins, 2 * end - 1)];
}
