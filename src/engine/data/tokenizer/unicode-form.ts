/** @file Unicode's normal forms, with the alignment of their result to the text they came from. */
import { codePointWidth, rewriter, type AlignedText } from "./aligned-text.ts";
import { unknownToNormalizer } from "./unicode-tables.ts";

export type UnicodeForm = "NFC" | "NFD" | "NFKC" | "NFKD";

/** A normal form of the text; what a run of characters became stands for the whole run. */
export function toUnicodeForm(source: AlignedText, form: UnicodeForm): AlignedText {
  const { text } = source;
  const normalized = normalForm(text, form);
  if (normalized === text) return source;
  if (source.origins === undefined) return { text: normalized, origins: undefined };
  const out = rewriter(source);
  for (let start = 0; start < text.length;) {
    const end = runEnd(text, start, form);
    const run = text.slice(start, end);
    const changed = normalForm(run, form);
    if (changed === run) out.keep(start, end);
    else out.put(changed, start, end);
    start = end;
  }
  return out.done();
}

/** The shortest run from `start` that normalizes apart from what follows: marks may move, other characters join. */
function runEnd(text: string, start: number, form: UnicodeForm): number {
  let end = start + codePointWidth(text, start);
  while (end < text.length) {
    const next = end + codePointWidth(text, end);
    const run = text.slice(start, end);
    const following = text.slice(end, next);
    if (
      !/\p{M}/u.test(following) &&
      normalForm(run + following, form) === normalForm(run, form) + normalForm(following, form)
    )
      return end;
    end = next;
  }
  return end;
}

const everyUnknown = new RegExp(unknownToNormalizer, "gu");

function normalForm(text: string, form: UnicodeForm): string {
  if (!unknownToNormalizer.test(text)) return text.normalize(form);
  let normalized = "";
  let last = 0;
  for (const { index, 0: character } of text.matchAll(everyUnknown)) {
    normalized += text.slice(last, index).normalize(form) + character;
    last = index + character.length;
  }
  return normalized + text.slice(last).normalize(form);
}
