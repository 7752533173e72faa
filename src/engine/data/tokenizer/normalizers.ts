/** @file The normalizers of a tokenizer file: what is done to text before it is split. */
import { UserError } from "../../../shared/errors.ts";
import {
  mapCodePoints,
  replaceRanges,
  rewriter,
  sliceAligned,
  codePointWidth,
  type AlignedText,
} from "./aligned-text.ts";
import { toByteCharacters } from "./byte-characters.ts";
import {
  isBertControl,
  isCombiningMark,
  isIdeograph,
  isWhitespace,
  leadingSpace,
  trailingSpace,
} from "./characters.ts";
import { readCharsmap, type Charsmap } from "./charsmap.ts";
import { elements, flag, member, text, type JsonValue } from "./json-value.ts";
import { readPattern } from "./pattern.ts";
import { toUnicodeForm } from "./unicode-form.ts";
import { nonspacingMark } from "./unicode-tables.ts";

export type Normalizer = (source: AlignedText) => AlignedText;

/** Reads a normalizer; `null` leaves text as it is. */
export function readNormalizer(config: JsonValue): Normalizer {
  if (config.value === undefined) return (source) => source;
  const type = text(member(config, "type"));
  switch (type) {
    case "Sequence": {
      const steps = elements(member(config, "normalizers")).map(readNormalizer);
      return (source) => steps.reduce((current, step) => step(current), source);
    }
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      return (source) => toUnicodeForm(source, type);
    case "Lowercase":
      return lowercase;
    case "StripAccents":
      return (source) => removing(source, isCombiningMark);
    case "Strip":
      return strip(
        flag(member(config, "strip_left"), true),
        flag(member(config, "strip_right"), true),
      );
    case "Nmt":
      return (source) => mapCodePoints(source, nmt);
    case "Prepend": {
      const prefix = text(member(config, "prepend"));
      return (source) => prepend(source, prefix);
    }
    case "Replace": {
      const pattern = readPattern(member(config, "pattern"));
      const content = text(member(config, "content"));
      return (source) => replaceRanges(source, pattern(source.text), content);
    }
    case "ByteLevel":
      return toByteCharacters;
    case "Precompiled": {
      const charsmap = readCharsmap(member(config, "precompiled_charsmap"));
      const keepsPlain = plainCharacters.every((character) => charsmap(character) === undefined);
      return (source) => precompiled(source, charsmap, keepsPlain);
    }
    case "BertNormalizer":
      return bert(config);
    default:
      throw unsupported(config, "normalizer", type);
  }
}

/** The refusal of a part of a tokenizer file that is not known here. */
export function unsupported(config: JsonValue, part: string, type: string): UserError {
  return new UserError({
    code: "unsupported-tokenizer",
    message: `The tokenizer's ${part} \`${type}\` is not supported.`,
    place: { file: config.file, field: config.path },
    remedy: "Use a model whose tokenizer is of one of the usual kinds.",
  });
}

/** Puts `prefix` before a text that is not empty; it stands for the text's first character. */
export function prepend(source: AlignedText, prefix: string): AlignedText {
  if (source.text === "") return source;
  const out = rewriter(source);
  const first = codePointWidth(source.text, 0);
  out.put(prefix + source.text.slice(0, first), 0, first);
  out.keep(first, source.text.length);
  return out.done();
}

/** Lowers each character by itself: a capital sigma at the end of a word becomes σ, as in Rust. */
function lowercase(source: AlignedText): AlignedText {
  if (isPlain(source.text)) return { ...source, text: source.text.toLowerCase() };
  return mapCodePoints(source, (character) => {
    const lower = character.toLowerCase();
    return lower === character ? undefined : lower;
  });
}

/** Printable ASCII, which most text is and most cleaning leaves alone. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

const plainCharacters = Array.from({ length: 0x7f - 0x20 }, (_, index) =>
  String.fromCharCode(0x20 + index),
);

function removing(source: AlignedText, unwanted: (character: string) => boolean): AlignedText {
  return mapCodePoints(source, (character) => (unwanted(character) ? "" : undefined));
}

function strip(left: boolean, right: boolean): Normalizer {
  return (source) => {
    const start = left ? leadingSpace(source.text) : 0;
    const end = right ? trailingSpace(source.text) : source.text.length;
    return sliceAligned(source, Math.min(start, end), end);
  };
}

/** SentencePiece's cleaning: some control characters go, some others become spaces. */
function nmt(character: string): string | undefined {
  if (/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/.test(character)) return "";
  const space = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/;
  return space.test(character) ? " " : undefined;
}

/**
 * Replaces by a SentencePiece character map: a whole grapheme of under six bytes where the map has it,
 * else character by character. `keepsPlain`: the map has no key for any character of {@link isPlain}.
 */
function precompiled(source: AlignedText, charsmap: Charsmap, keepsPlain: boolean): AlignedText {
  const { text } = source;
  if (keepsPlain && isPlain(text)) return source;
  const out = rewriter(source);
  let kept = 0;
  for (const [from, to] of keepsPlain ? mixedStretches(text) : [[0, text.length] as const]) {
    out.keep(kept, from);
    for (const { segment, index } of graphemes.segment(text.slice(from, to))) {
      const start = from + index;
      const end = start + segment.length;
      const whole = Buffer.byteLength(segment) < 6 ? charsmap(segment) : undefined;
      if (whole !== undefined) {
        out.put(whole, start, end);
        continue;
      }
      for (let at = start; at < end;) {
        const next = at + codePointWidth(text, at);
        const replacement = charsmap(text.slice(at, next));
        if (replacement === undefined) out.keep(at, next);
        else out.put(replacement, at, next);
        at = next;
      }
    }
    kept = to;
  }
  out.keep(kept, text.length);
  return out.done();
}

/** Everything but plain characters, with the plain one on either side: two of them always part graphemes. */
function* mixedStretches(text: string): Iterable<readonly [start: number, end: number]> {
  const isPlainAt = (index: number): boolean => {
    const unit = text.charCodeAt(index);
    return unit >= 0x20 && unit <= 0x7e;
  };
  for (let index = 0; index < text.length; index += 1) {
    if (isPlainAt(index)) continue;
    const start = Math.max(0, index - 1);
    while (index < text.length && !(isPlainAt(index) && isPlainAt(index + 1))) index += 1;
    const end = Math.min(text.length, index + 1);
    yield [start, end];
  }
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** BERT's own cleaning: control characters, spaces around ideographs, accents, case. */
function bert(config: JsonValue): Normalizer {
  const clean = flag(member(config, "clean_text"), true);
  const spaceIdeographs = flag(member(config, "handle_chinese_chars"), true);
  const lower = flag(member(config, "lowercase"), true);
  const stripAccents = flag(member(config, "strip_accents"), lower);
  return (source) => {
    if (isPlain(source.text)) return lower ? lowercase(source) : source;
    let current = source;
    if (clean)
      current = mapCodePoints(current, (character) => {
        if (isBertControl(character)) return "";
        return character !== " " && isWhitespace(character.charCodeAt(0)) ? " " : undefined;
      });
    if (spaceIdeographs)
      current = mapCodePoints(current, (character) =>
        isIdeograph(character.codePointAt(0) ?? 0) ? ` ${character} ` : undefined,
      );
    if (stripAccents)
      current = removing(toUnicodeForm(current, "NFD"), (character) =>
        nonspacingMark.test(character),
      );
    return lower ? lowercase(current) : current;
  };
}
