/** @file Texts of users in messages: what a terminal would obey, or not show, is written out. */

/** The text with its control characters as escapes; line breaks stay. */
export function printable(text: string): string {
  return text.replaceAll(control, (character) => {
    const known: Readonly<Record<string, string>> = { "\0": "\\0", "\t": "\\t", "\r": "\\r" };
    const code = character.charCodeAt(0).toString(16).padStart(2, "0");
    return known[character] ?? `\\x${code}`;
  });
}

/** Unicode's control characters but the line feed. */
const control = /(?!\n)\p{Cc}/gu;
