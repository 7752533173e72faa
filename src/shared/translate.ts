/** @file Texts for people in their language: the English text is the key, `{0}` stands for the first argument. */

/** The text of `strings` for an English one, or that itself, with its arguments in place. */
export function translate(
  strings: Readonly<Record<string, string>>,
  english: string,
  ...values: readonly (string | number)[]
): string {
  const text = Object.hasOwn(strings, english) ? (strings[english] ?? english) : english;
  return text.replaceAll(/\{(\d+)\}/g, (whole, index: string) => {
    const value = values[Number(index)];
    return value === undefined ? whole : String(value);
  });
}
