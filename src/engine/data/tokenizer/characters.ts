/** @file The classes of characters that normalization and splitting ask about. */
import { afterUnicode16, afterUnicode8Format, unknownToNormalizer } from "./unicode-tables.ts";

/** Whether a UTF-16 code unit is white space (Unicode's White_Space; all of it lies in the first plane). */
export function isWhitespace(unit: number): boolean {
  if (unit <= 0x20) return unit === 0x20 || (unit >= 9 && unit <= 0xd);
  if (unit < 0x1680) return unit === 0x85 || unit === 0xa0;
  if (unit <= 0x200a) return unit >= 0x2000 || unit === 0x1680;
  return (
    unit === 0x2028 || unit === 0x2029 || unit === 0x202f || unit === 0x205f || unit === 0x3000
  );
}

/** Where the white space at the start of a text ends. */
export function leadingSpace(text: string, from = 0): number {
  let end = from;
  while (end < text.length && isWhitespace(text.charCodeAt(end))) end += 1;
  return end;
}

/** Where the white space before `to` begins. */
export function trailingSpace(text: string, to = text.length): number {
  let start = to;
  while (start > 0 && isWhitespace(text.charCodeAt(start - 1))) start -= 1;
  return start;
}

const control = /[\p{Cc}\p{Cf}\p{Co}\0\ufffd]/u;

/** What BERT removes: control, format and private characters, the null and the replacement character. */
export function isBertControl(character: string): boolean {
  if (character >= " " && character <= "~") return false;
  if (character === "\t" || character === "\n" || character === "\r") return false;
  return control.test(character) && !afterUnicode8Format.test(character);
}

/** The blocks of CJK ideographs that BERT sets apart, as its authors listed them. */
export function isIdeograph(codePoint: number): boolean {
  if (codePoint < 0x3400) return false;
  return (
    (codePoint >= 0x4e00 && codePoint <= 0x9fff) ||
    codePoint <= 0x4dbf ||
    (codePoint >= 0x20000 && codePoint <= 0x2a6df) ||
    (codePoint >= 0x2a700 && codePoint <= 0x2b81f) ||
    (codePoint >= 0x2b920 && codePoint <= 0x2ceaf) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0x2f800 && codePoint <= 0x2fa1f)
  );
}

/** A combining mark as the normal forms know them. */
export function isCombiningMark(character: string): boolean {
  if (character === "\u1cf2" || character === "\u1cf3") return true;
  return /\p{M}/u.test(character) && !unknownToNormalizer.test(character);
}

const wordCharacter = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

/** A word character of Unicode's annex 18. */
export function isWordCharacter(character: string): boolean {
  return wordCharacter.test(character) && !afterUnicode16.test(character);
}

const everyAfterUnicode16 = new RegExp(afterUnicode16, "gu");

/** The text with characters younger than Unicode 16 as the unassigned characters they once were. */
export function asOfUnicode16(text: string): string {
  if (!afterUnicode16.test(text)) return text;
  return text.replaceAll(everyAfterUnicode16, (character) =>
    character.length === 1 ? "\ufdd0" : "\u{1fffe}",
  );
}
