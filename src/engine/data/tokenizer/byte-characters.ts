/** @file GPT-2's alphabet of 256 printable characters, one for each byte. */
import { codePointWidth, rewriter, type AlignedText } from "./aligned-text.ts";

/** The character of each byte: printable Latin-1 stands for itself, the rest is moved to U+0100 and up. */
export const characterOfByte: readonly string[] = byteAlphabet();

/** The byte of a character, where it is one of the alphabet. */
export const byteOfCharacter: ReadonlyMap<string, number> = new Map(
  characterOfByte.map((character, byte) => [character, byte]),
);

function byteAlphabet(): readonly string[] {
  let moved = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    return String.fromCharCode(printable ? byte : moved++);
  });
}

const encoder = new TextEncoder();

/** Spells a text as the characters of its UTF-8 bytes. */
export function toByteCharacters(source: AlignedText): AlignedText {
  const { text, origins } = source;
  if (/^[\0-\x7f]*$/.test(text)) return { text: spellAscii(text), origins };
  if (origins === undefined) return { text: spell(encoder.encode(text)), origins };
  const out = rewriter(source);
  for (let index = 0; index < text.length;) {
    const end = index + codePointWidth(text, index);
    out.put(spell(encoder.encode(text.slice(index, end))), index, end);
    index = end;
  }
  return out.done();
}

/** ASCII, whose characters are one byte each. */
function spellAscii(text: string): string {
  return text.replaceAll(
    /[^\x21-\x7e]/g,
    (character) => characterOfByte[character.charCodeAt(0)] ?? "",
  );
}

function spell(bytes: Uint8Array): string {
  let spelled = "";
  for (const byte of bytes) spelled += characterOfByte[byte] ?? "";
  return spelled;
}
