/** @file The pre-tokenizers of a tokenizer file: how text is split into the pieces the model sees. */
import { replaceRanges, sliceAligned, codePointWidth, type AlignedText } from "./aligned-text.ts";
import { toByteCharacters } from "./byte-characters.ts";
import {
  elements,
  flag,
  count,
  member,
  refuse,
  text,
  textOr,
  type JsonValue,
} from "./json-value.ts";
import { prepend, unsupported } from "./normalizers.ts";
import { matchExpression, readPattern, type Pattern, type Range } from "./pattern.ts";
import { punctuation } from "./unicode-tables.ts";

/** Splits a piece into smaller ones; empty ones are dropped by the caller. */
export type PreTokenizer = (piece: AlignedText) => readonly AlignedText[];

/** What becomes of the text that a pattern found: see the examples of {@link splitRanges}. */
type Behavior = "removed" | "isolated" | "mergedwithprevious" | "mergedwithnext" | "contiguous";

/** GPT-2's expression. */
const words = matchExpression(
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu,
);
const spaces = matchExpression(/\p{White_Space}+/gu);
const numbers = matchExpression(/\p{N}/gu);
const everyPunctuation = new RegExp(punctuation, "gu");
const punctuationMarks: Pattern = (subject) => everyMatch(subject, everyPunctuation);
const wordsAndSymbols = matchExpression(
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu,
);

/** Reads a pre-tokenizer; `null` takes a text as one piece. */
export function readPreTokenizer(config: JsonValue): PreTokenizer {
  if (config.value === undefined) return (piece) => [piece];
  const type = text(member(config, "type"));
  switch (type) {
    case "Sequence": {
      const steps = elements(member(config, "pretokenizers")).map(readPreTokenizer);
      return (piece) =>
        steps.reduce<readonly AlignedText[]>(
          (pieces, step) => pieces.flatMap(step).filter((part) => part.text !== ""),
          [piece],
        );
    }
    case "ByteLevel":
      return byteLevel(config);
    case "Metaspace":
      return metaspace(config);
    case "Split":
      return splitter(
        readPattern(member(config, "pattern")),
        readBehavior(member(config, "behavior")),
        flag(member(config, "invert"), false),
      );
    case "BertPreTokenizer": {
      const marks = splitter(punctuationMarks, "isolated");
      return (piece) => splitter(spaces, "removed")(piece).flatMap(marks);
    }
    case "Whitespace":
      return splitter(wordsAndSymbols, "removed", true);
    case "WhitespaceSplit":
      return splitter(spaces, "removed");
    case "Punctuation":
      return splitter(punctuationMarks, readBehavior(member(config, "behavior")));
    case "Digits":
      return splitter(
        numbers,
        flag(member(config, "individual_digits"), false) ? "isolated" : "contiguous",
      );
    case "CharDelimiterSplit":
      return splitter(readPattern(member(config, "delimiter")), "removed");
    case "FixedLength": {
      const length = member(config, "length");
      const size = length.value === undefined ? 5 : count(length);
      return (piece) => fixedLength(piece, Math.max(1, size));
    }
    default:
      throw unsupported(config, "pre-tokenizer", type);
  }
}

/** Whether a pre-tokenizer asks where in the original text a piece begins. */
export function needsOrigins(config: JsonValue): boolean {
  const steps = member(config, "pretokenizers");
  if (steps.value !== undefined) return elements(steps).some(needsOrigins);
  return member(config, "prepend_scheme").value === "first";
}

function byteLevel(config: JsonValue): PreTokenizer {
  const prefix = flag(member(config, "add_prefix_space"), true);
  const split = flag(member(config, "use_regex"), true) ? splitter(words, "isolated") : undefined;
  return (piece) => {
    const spaced = prefix && !piece.text.startsWith(" ") ? prepend(piece, " ") : piece;
    return (split?.(spaced) ?? [spaced]).map(toByteCharacters);
  };
}

/** Spaces become a visible character, which also opens the text, and at which pieces begin. */
function metaspace(config: JsonValue): PreTokenizer {
  const replacement = textOr(member(config, "replacement"), "▁");
  const never = flag(member(config, "add_prefix_space"), true) ? "always" : "never";
  const scheme = textOr(member(config, "prepend_scheme"), never);
  const split = flag(member(config, "split"), true)
    ? splitter(readPattern({ ...config, value: replacement }), "mergedwithnext")
    : undefined;
  const space = readPattern({ ...config, value: " " });
  return (piece) => {
    let current = piece.text.includes(" ")
      ? replaceRanges(piece, space(piece.text), replacement)
      : piece;
    const open = scheme === "always" || (scheme === "first" && piece.origins?.[0] === 0);
    if (open && !current.text.startsWith(replacement)) current = prepend(current, replacement);
    return split?.(current) ?? [current];
  };
}

function fixedLength(piece: AlignedText, size: number): readonly AlignedText[] {
  const parts: AlignedText[] = [];
  let start = 0;
  let characters = 0;
  for (let index = 0; index < piece.text.length;) {
    index += codePointWidth(piece.text, index);
    characters += 1;
    if (characters === size || index === piece.text.length) {
      parts.push(sliceAligned(piece, start, index));
      start = index;
      characters = 0;
    }
  }
  return parts;
}

function readBehavior(value: JsonValue): Behavior {
  const name = textOr(value, "isolated").toLowerCase();
  switch (name) {
    case "removed":
    case "isolated":
    case "mergedwithprevious":
    case "mergedwithnext":
    case "contiguous":
      return name;
    default:
      return refuse(value, "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
  }
}

function splitter(pattern: Pattern, behavior: Behavior, invert = false): PreTokenizer {
  return (piece) =>
    splitRanges(piece.text.length, pattern(piece.text), behavior, invert)
      .filter(([start, end]) => end > start)
      .map(([start, end]) => sliceAligned(piece, start, end));
}

/**
 * The parts of a text of `length` in which a pattern was found. With the pattern `-` in `a-b--c`:
 * removed `a b c`, isolated `a - b - - c`, mergedwithprevious `a- b- - c`, mergedwithnext `a -b - -c`,
 * contiguous `a - b -- c`. `invert` swaps what was found with what lies between.
 */
function splitRanges(
  length: number,
  found: Iterable<Range>,
  behavior: Behavior,
  invert: boolean,
): readonly Range[] {
  const parts: { start: number; end: number; delimiter: boolean }[] = [];
  let last = 0;
  for (const [start, end] of found) {
    if (start > last) parts.push({ start: last, end: start, delimiter: invert });
    parts.push({ start, end, delimiter: !invert });
    last = end;
  }
  if (last < length) parts.push({ start: last, end: length, delimiter: invert });
  if (behavior === "removed") return parts.filter((part) => !part.delimiter).map(range);
  if (behavior === "isolated") return parts.map(range);

  const forward = behavior !== "mergedwithnext";
  const merged: { start: number; end: number }[] = [];
  let previous = false;
  for (const part of forward ? parts : parts.toReversed()) {
    const joins =
      behavior === "contiguous" ? part.delimiter === previous : part.delimiter && !previous;
    const neighbour = merged[merged.length - 1];
    if (joins && neighbour !== undefined) {
      if (forward) neighbour.end = part.end;
      else neighbour.start = part.start;
    } else merged.push({ start: part.start, end: part.end });
    previous = part.delimiter;
  }
  return (forward ? merged : merged.toReversed()).map(range);
}

function range(part: { readonly start: number; readonly end: number }): Range {
  return [part.start, part.end];
}

function* everyMatch(subject: string, expression: RegExp): Iterable<Range> {
  for (const match of subject.matchAll(expression))
    yield [match.index, match.index + match[0].length];
}
