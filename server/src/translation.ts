/**
 * @file The service's answers in the editor's language. Everything is computed and tested in English; at the rim, finished
 * texts are found again by their patterns, so that a check says a thing once. What has no pattern stays as it is.
 */

/** A language: English texts with `{0}` for each part that varies, and what stands between names. */
export interface Language {
  readonly texts: Readonly<Record<string, string>>;
  /** What stands between the names of a list. */
  readonly between: Readonly<Record<string, string>>;
}

export interface Translator {
  /** Each line and sentence that is known in the language; others as they are. */
  readonly say: (english: string) => string;
  /** A whole text; `undefined` where it is not known. */
  readonly find: (english: string) => string | undefined;
}

/** What an editor in English gets. */
export const plainTranslator: Translator = { say: (text) => text, find: (text) => text };

interface Pattern {
  /** What stands before, between and behind the parts that vary. */
  readonly fixed: readonly string[];
  /** Of each part, whether it stands between backticks and is taken as it is. */
  readonly quoted: readonly boolean[];
  /** So short that anything would fit: then the parts must be known themselves. */
  readonly weak: boolean;
  /** The place of each part in the call, e.g. `{1}` first. */
  readonly order: readonly number[];
  readonly translation: string;
}

const mostKept = 4000;
/** Messages are a few hundred characters; whatever is longer holds somebody's data. */
const longestText = 4000;

export function createTranslator({ texts, between }: Language): Translator {
  const exact = new Map<string, string>();
  const patterns: Pattern[] = [];
  for (const [english, translation] of Object.entries(texts))
    if (/\{\d\}/.test(english)) patterns.push(patternOf(english, translation));
    else exact.set(english, translation);
  patterns.sort((a, b) => lengthOf(b) - lengthOf(a));

  const known = new Map<string, string | undefined>();
  const find = (english: string): string | undefined => {
    if (known.has(english)) return known.get(english);
    const found = english.length > longestText ? undefined : search(english);
    if (known.size >= mostKept) known.clear();
    known.set(english, found);
    return found;
  };
  const search = (english: string): string | undefined => {
    const whole = exact.get(english);
    if (whole !== undefined) return whole;
    for (const pattern of patterns) {
      const found = fill(pattern, english);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const fill = (pattern: Pattern, english: string): string | undefined => {
    const parts = partsOf(pattern.fixed, english);
    if (parts === undefined) return undefined;
    const said: string[] = [];
    for (const [index, part] of parts.entries()) {
      const quoted = pattern.quoted[index] === true;
      if (quoted && part.includes("`")) return undefined;
      const translated = quoted ? part : partOf(part);
      if (translated === undefined && (pattern.weak || /[.?] [A-Z`]/.test(part))) return undefined;
      said[pattern.order[index] ?? index] = translated ?? part;
    }
    return pattern.translation.replaceAll(
      /\{(\d)\}/g,
      (whole, at: string) => said[Number(at)] ?? whole,
    );
  };
  /** A part of a sentence: known itself, or as a sentence of its own, or a list of names, numbers and known things. */
  const partOf = (part: string): string | undefined =>
    find(part) ?? sentence(part) ?? (isName(part) ? part : listOf(part));
  const listOf = (part: string): string | undefined => {
    const pieces = part.split(separator);
    if (pieces.length < 2) return undefined;
    const said = pieces.map((piece, index) =>
      index % 2 === 1 ? (between[piece] ?? piece) : isName(piece) ? piece : find(piece),
    );
    return said.includes(undefined) ? undefined : said.join("");
  };
  const sentence = (part: string): string | undefined => {
    const found = part.endsWith(".") ? undefined : find(`${part}.`);
    return found?.replace(/\.$/, "");
  };

  const line = (english: string): string => {
    const whole = find(english);
    if (whole !== undefined) return whole;
    const placed = /^[^`]*?:\d+(?::\d+)?: /.exec(english);
    if (placed !== null) return `${placed[0]}${line(english.slice(placed[0].length))}`;
    // The longest beginning that is known, then the rest.
    const ends = [...english.matchAll(/[.?](?= )/g)].map(({ index }) => index + 1);
    for (const end of ends.toReversed()) {
      const begun = find(english.slice(0, end));
      if (begun !== undefined) return `${begun} ${line(english.slice(end + 1))}`;
    }
    const [first] = ends;
    return first === undefined
      ? english
      : `${english.slice(0, first)} ${line(english.slice(first + 1))}`;
  };
  return {
    find: (english) => {
      const found = find(english);
      return found === undefined ? undefined : spaced(found);
    },
    say: (english) =>
      english.length > longestText
        ? english
        : english
            .split("\n")
            .map((each) => spaced(line(each)))
            .join("\n"),
  };
}

function patternOf(english: string, translation: string): Pattern {
  const fixed: string[] = [];
  const order: number[] = [];
  const quoted: boolean[] = [];
  let end = 0;
  for (const { 0: mark, index } of english.matchAll(/\{\d\}/g)) {
    fixed.push(english.slice(end, index));
    order.push(Number(mark[1]));
    quoted.push((english.slice(0, index).match(/`/g) ?? []).length % 2 === 1);
    end = index + mark.length;
  }
  fixed.push(english.slice(end));
  const letters = fixed.join("").replaceAll(/[^a-z]/gi, "").length;
  return { fixed, order, quoted, weak: letters < 8, translation };
}

function lengthOf({ fixed }: Pattern): number {
  return fixed.reduce((sum, { length }) => sum + length, 0);
}

/** What stands in the gaps; each fixed piece is taken where it comes first, so that one pass decides. */
function partsOf(fixed: readonly string[], text: string): readonly string[] | undefined {
  const [head = "", ...others] = fixed;
  const tail = others.pop() ?? "";
  if (!text.startsWith(head) || !text.endsWith(tail)) return undefined;
  const last = text.length - tail.length;
  const parts: string[] = [];
  let at = head.length;
  for (const piece of others) {
    const found = text.indexOf(piece, at + 1);
    if (found < 0 || found + piece.length > last) return undefined;
    parts.push(text.slice(at, found));
    at = found + piece.length;
  }
  if (at >= last) return undefined;
  parts.push(text.slice(at, last));
  return parts;
}

/** Between the names of a list; not within backticks or brackets. */
const separator = /(, or |, | and | or )(?![^[\]]*\])(?=(?:[^`]*`[^`]*`)*[^`]*$)/;

/** Something in backticks or quotes, a number with its unit, a path, `key: value`: the same in every language. */
function isName(part: string): boolean {
  return (
    /^(?:`[^`]*`|"[^"]*"|\[[^\]]*\]|[\d.,]+ (?:%|kB|MB|GB)|[\w.-]+: \S+|\S*[^a-z\s]\S*)$/i.test(
      part,
    ) || /^[a-z][a-z0-9_-]*$/.test(part)
  );
}

/** `12,288` means something else in many languages: thousands stand apart by a space, fractions as in the file. */
function spaced(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((piece, index) =>
      index % 2 === 1 ? piece : piece.replaceAll(/(?<=\d),(?=\d{3}(?!\d))/g, "\u202f"),
    )
    .join("");
}
