/** @file Text that knows, for each of its code units, which part of the original text it stands for. */
import { at } from "../../../shared/errors.ts";

/**
 * A text on its way through normalization and splitting. Positions are UTF-16 code units.
 * `origins` holds `[start, end]` in the original text for each code unit, flat; `undefined` where
 * nobody asked for offsets.
 */
export interface AlignedText {
  readonly text: string;
  readonly origins: Int32Array | undefined;
}

/** The original text itself: each code point stands for itself. */
export function alignedText(text: string, tracked: boolean): AlignedText {
  if (!tracked) return { text, origins: undefined };
  const origins = new Int32Array(2 * text.length);
  for (let index = 0; index < text.length;) {
    const end = index + codePointWidth(text, index);
    for (let unit = index; unit < end; unit += 1) {
      origins[2 * unit] = index;
      origins[2 * unit + 1] = end;
    }
    index = end;
  }
  return { text, origins };
}

/** Code units `[start, end)` of a text. */
export function sliceAligned(source: AlignedText, start: number, end: number): AlignedText {
  if (start === 0 && end === source.text.length) return source;
  return {
    text: source.text.slice(start, end),
    origins: source.origins?.subarray(2 * start, 2 * end),
  };
}

/** Builds a new text out of parts of an old one, from left to right. */
export interface Rewriter {
  /** Takes code units `[start, end)` of the source as they are. */
  keep(start: number, end: number): void;
  /** Puts `text` where `[start, end)` of the source stood. */
  put(text: string, start: number, end: number): void;
  done(): AlignedText;
}

export function rewriter(source: AlignedText): Rewriter {
  let text = "";
  const { origins } = source;
  const next: number[] = [];
  return {
    keep(start, end) {
      text += source.text.slice(start, end);
      if (origins === undefined) return;
      for (let index = 2 * start; index < 2 * end; index += 1) next.push(at(origins, index));
    },
    put(replacement, start, end) {
      text += replacement;
      if (origins === undefined) return;
      const from = at(origins, 2 * start);
      const to = at(origins, 2 * end - 1);
      for (let index = 0; index < replacement.length; index += 1) next.push(from, to);
    },
    done: () => ({ text, origins: origins === undefined ? undefined : Int32Array.from(next) }),
  };
}

/** Replaces each code point by what `change` makes of it; `undefined` keeps it. */
export function mapCodePoints(
  source: AlignedText,
  change: (character: string) => string | undefined,
): AlignedText {
  const { text } = source;
  const out = rewriter(source);
  let kept = 0;
  for (let index = 0; index < text.length;) {
    const end = index + codePointWidth(text, index);
    const replacement = change(text.slice(index, end));
    if (replacement !== undefined) {
      out.keep(kept, index);
      out.put(replacement, index, end);
      kept = end;
    }
    index = end;
  }
  if (kept === 0) return source;
  out.keep(kept, text.length);
  return out.done();
}

/** Replaces ranges of a text, given in order; a replacement stands for the last code point of its range. */
export function replaceRanges(
  source: AlignedText,
  ranges: Iterable<readonly [start: number, end: number]>,
  replacement: string,
): AlignedText {
  const out = rewriter(source);
  let kept = 0;
  for (const [start, end] of ranges) {
    out.keep(kept, start);
    if (end > start) out.put(replacement, lastCodePointStart(source.text, end), end);
    kept = end;
  }
  out.keep(kept, source.text.length);
  return out.done();
}

/** 2 where a surrogate pair begins, else 1. */
export function codePointWidth(text: string, index: number): 1 | 2 {
  const unit = text.charCodeAt(index);
  if (unit < 0xd800 || unit >= 0xdc00 || index + 1 >= text.length) return 1;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next < 0xe000 ? 2 : 1;
}

/** Where the code point that ends at `end` begins. */
export function lastCodePointStart(text: string, end: number): number {
  return end >= 2 && codePointWidth(text, end - 2) === 2 ? end - 2 : end - 1;
}
