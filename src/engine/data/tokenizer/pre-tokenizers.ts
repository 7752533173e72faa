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

/**
 * Splits a piece into smaller ones, from left to right and no further than the caller asks for; empty ones
 * are dropped by the caller.
 */
export type PreTokenizer = (piece: AlignedText) => Iterable<AlignedText>;

/** What becomes of the text that a pattern found: see the examples of {@link joined}. */
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
      return (piece) => steps.reduce<Iterable<AlignedText>>(splitEach, [piece]);
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
      const steps = [splitter(spaces, "removed"), splitter(punctuationMarks, "isolated")];
      return (piece) => steps.reduce<Iterable<AlignedText>>(splitEach, [piece]);
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

function* splitEach(pieces: Iterable<AlignedText>, step: PreTokenizer): Iterable<AlignedText> {
  for (const piece of pieces) for (const part of step(piece)) if (part.text !== "") yield part;
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
  return function* (piece) {
    const spaced = prefix && !piece.text.startsWith(" ") ? prepend(piece, " ") : piece;
    for (const part of split?.(spaced) ?? [spaced]) yield toByteCharacters(part);
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
  return function* (piece) {
    const parts = splitRanges(piece.text.length, pattern(piece.text), invert);
    for (const { start, end } of joined(parts, behavior))
      if (end > start) yield sliceAligned(piece, start, end);
  };
}

interface Part {
  readonly start: number;
  readonly end: number;
  readonly delimiter: boolean;
}

/** What was found in a text of `length`, and what lies between; `invert` swaps the two. */
function* splitRanges(length: number, found: Iterable<Range>, invert: boolean): Iterable<Part> {
  let last = 0;
  for (const [start, end] of found) {
    if (start > last) yield { start: last, end: start, delimiter: invert };
    yield { start, end, delimiter: !invert };
    last = end;
  }
  if (last < length) yield { start: last, end: length, delimiter: invert };
}

/**
 * The parts as they stay together. With the pattern `-` in `a-b--c`: removed `a b c`, isolated `a - b - - c`,
 * mergedwithprevious `a- b- - c`, mergedwithnext `a -b - -c`, contiguous `a - b -- c`.
 */
function* joined(parts: Iterable<Part>, behavior: Behavior): Iterable<Part> {
  if (behavior === "removed" || behavior === "isolated") {
    for (const part of parts) if (behavior === "isolated" || !part.delimiter) yield part;
    return;
  }
  const joins: (previous: Part, next: Part) => boolean = {
    mergedwithprevious: (previous: Part, next: Part) => next.delimiter && !previous.delimiter,
    mergedwithnext: (previous: Part, next: Part) => previous.delimiter && !next.delimiter,
    contiguous: (previous: Part, next: Part) => previous.delimiter === next.delimiter,
  }[behavior];
  let open: Part | undefined;
  for (const part of parts) {
    // What is joined goes on as its last part is.
    if (open !== undefined && joins(open, part)) open = { ...part, start: open.start };
    else {
      if (open !== undefined) yield open;
      open = part;
    }
  }
  if (open !== undefined) yield open;
}

function* everyMatch(subject: string, expression: RegExp): Iterable<Range> {
  for (const match of subject.matchAll(expression))
    yield [match.index, match.index + match[0].length];
}
