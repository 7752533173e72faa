/** @file Translates the Oniguruma regular expressions of tokenizer files to JavaScript's. */

/** What the expression uses that has no translation here. */
export class UntranslatableExpression extends Error {}

/**
 * The same expression for the flags `v` and `g`. White space, digits and word characters are Unicode's, as
 * in Oniguruma; possessive quantifiers and atomic groups become a lookahead and a reference to what it found;
 * case-insensitive groups are spelled out. Throws {@link UntranslatableExpression} for what it does not know.
 * Syntax: https://github.com/kkos/oniguruma/blob/master/doc/RE
 */
export function translateOniguruma(source: string): string {
  let out = "";
  let at = 0;
  let groups = 0;
  /** Where the atom that a quantifier would repeat begins in `out`; -1 where there is none. */
  let atom = -1;
  const open: { readonly start: number; readonly foldsCase: boolean; readonly atomic: boolean }[] =
    [];
  let foldsCase = false;

  const emit = (text: string): void => {
    atom = out.length;
    out += text;
  };
  /** What has been written from `start` on, matched as one without a way back. */
  const makeAtomic = (start: number): void => {
    groups += 1;
    out = `${out.slice(0, start)}(?=(?<atomic${groups}>${out.slice(start)}))\\k<atomic${groups}>`;
  };

  while (at < source.length) {
    const rest = source.slice(at);
    const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\}|\{,\d+\})/.exec(rest)?.[0];
    if (quantifier !== undefined && atom >= 0) {
      const start = atom;
      at += quantifier.length;
      out += quantifier.startsWith("{,") ? `{0${quantifier.slice(1)}` : quantifier;
      if (source[at] === "?") {
        out += "?";
        at += 1;
      } else if (source[at] === "+" && !quantifier.startsWith("{")) {
        makeAtomic(start);
        at += 1;
      }
      atom = -1;
    } else if (character === "[") {
      const [text, end] = translateClass(source, at, foldsCase);
      emit(text);
      at = end;
    } else if (character === "\\") {
      const [text, end] = translateEscape(source, at, foldsCase);
      emit(text);
      at = end;
    } else if (character === "(") {
      const head = /^\((?:\?(?:<?[=!]|[:>]|i:))?/.exec(rest)?.[0] ?? "(";
      if (head === "(" && rest[1] === "?")
        throw new UntranslatableExpression(`group ${rest.slice(0, 4)}`);
      open.push({ start: out.length, foldsCase, atomic: head === "(?>" });
      if (head === "(?i:") foldsCase = true;
      out += head === "(?>" || head === "(?i:" || head === "(" ? "(?:" : head;
      atom = -1;
      at += head.length;
    } else if (character === ")") {
      const group = open.pop();
      if (group === undefined) throw new UntranslatableExpression("an unmatched )");
      out += ")";
      if (group.atomic) makeAtomic(group.start);
      ({ foldsCase } = group);
      atom = group.start;
      at += 1;
    } else if (character === "|") {
      out += "|";
      atom = -1;
      at += 1;
    } else {
      const plain: Readonly<Record<string, string>> = { ".": "[^\\n]", "^": lineStart, $: lineEnd };
      emit(plain[character] ?? literal(character, foldsCase));
      at += character.length;
    }
  }
  if (open.length > 0) throw new UntranslatableExpression("an unmatched (");
  return out;
}

const lineStart = "(?<![^\\n])";
const lineEnd = "(?![^\\n])";
const word = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";

/** Escapes that stand for a class; each is written as the inside of one. */
const classes: Readonly<Record<string, string>> = {
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  w: word,
  W: `[^${word}]`,
  h: "0-9A-Fa-f",
  H: "[^0-9A-Fa-f]",
};
const anchors: Readonly<Record<string, string>> = {
  A: "(?<![\\s\\S])",
  z: "(?![\\s\\S])",
  Z: "(?=\\n?(?![\\s\\S]))",
};
const controls: Readonly<Record<string, string>> = { a: "\\x07", e: "\\x1B" };

/** An escape outside a class: its translation and where the source goes on. */
function translateEscape(
  source: string,
  at: number,
  foldsCase: boolean,
): readonly [string, number] {
  const next = source[at + 1] ?? "";
  const anchor = anchors[next];
  if (anchor !== undefined) return [anchor, at + 2];
  const [inside, end] = translateClassEscape(source, at, foldsCase);
  return [`[${inside}]`, end];
}

/** An escape inside a class. */
function translateClassEscape(
  source: string,
  at: number,
  foldsCase: boolean,
): readonly [string, number] {
  const rest = source.slice(at);
  const property = /^\\([pP])\{(\^?)(\w+)\}/.exec(rest);
  if (property !== null) {
    const [all, kind = "p", caret = "", name = ""] = property;
    const negated = (kind === "P") !== (caret === "^");
    return [`\\${negated ? "P" : "p"}{${propertyName(name)}}`, at + all.length];
  }
  const code = /^\\(?:x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4}))/.exec(rest);
  if (code !== null) {
    const hex = code[1] ?? code[2] ?? code[3] ?? "";
    return [`\\u{${hex}}`, at + code[0].length];
  }
  const next = String.fromCodePoint(source.codePointAt(at + 1) ?? 0x5c);
  const known = classes[next] ?? controls[next] ?? (/[nrtfv]/.test(next) ? `\\${next}` : undefined);
  if (known !== undefined) return [known, at + 2];
  if (/[A-Za-z0-9]/.test(next)) throw new UntranslatableExpression(`the escape \\${next}`);
  return [insideClass(next, foldsCase), at + 1 + next.length];
}

/** A property as JavaScript calls it; Oniguruma takes a script's name bare. */
function propertyName(name: string): string {
  for (const candidate of [name, `Script=${name}`]) {
    try {
      new RegExp(`\\p{${candidate}}`, "v");
      return candidate;
    } catch {
      continue;
    }
  }
  throw new UntranslatableExpression(`the property ${name}`);
}

const posix: Readonly<Record<string, string>> = {
  alpha: "\\p{Alphabetic}",
  alnum: "\\p{Alphabetic}\\p{Nd}",
  digit: "\\p{Nd}",
  lower: "\\p{Lowercase}",
  upper: "\\p{Uppercase}",
  space: "\\p{White_Space}",
  blank: "\\t\\p{Zs}",
  punct: "\\p{P}\\p{S}",
  cntrl: "\\p{Cc}",
  xdigit: "0-9A-Fa-f",
  word,
};

/** A class in brackets, nested ones and intersections included: its translation and where the source goes on. */
function translateClass(
  source: string,
  start: number,
  foldsCase: boolean,
): readonly [string, number] {
  let at = start + 1;
  let out = "[";
  if (source[at] === "^") {
    out += "^";
    at += 1;
  }
  const first = at;
  while (at < source.length) {
    const character = String.fromCodePoint(source.codePointAt(at) ?? 0);
    const named = /^\[:(\^?)(\w+):\]/.exec(source.slice(at));
    if (character === "]" && at > first) return [`${out}]`, at + 1];
    if (named !== null) {
      const members = posix[named[2] ?? ""];
      if (members === undefined) throw new UntranslatableExpression(named[0]);
      out += `[${named[1] ?? ""}${members}]`;
      at += named[0].length;
    } else if (character === "[") {
      const [nested, end] = translateClass(source, at, foldsCase);
      out += nested;
      at = end;
    } else if (source.startsWith("&&", at)) {
      // An intersection's sides are unions, which JavaScript wants in brackets of their own.
      const [right, end] = translateClass(`[${source.slice(at + 2)}`, 0, foldsCase);
      const negated = out.startsWith("[^");
      const left = `[${out.slice(negated ? 2 : 1)}]`;
      return [`[${negated ? "^" : ""}${left}&&${right}]`, at + 2 + end - 1];
    } else if (character === "\\") {
      const [inside, end] = translateClassEscape(source, at, foldsCase);
      out += inside;
      at = end;
    } else {
      const range = /^([^\]\\[])-([^\]\\[])/u.exec(source.slice(at));
      if (range !== null && !source.startsWith("&&", at + 1)) {
        out += classRange(range[1] ?? "", range[2] ?? "", foldsCase);
        at += range[0].length;
      } else {
        out += insideClass(character, foldsCase);
        at += character.length;
      }
    }
  }
  throw new UntranslatableExpression("an unmatched [");
}

function classRange(from: string, to: string, foldsCase: boolean): string {
  const plain = `${insideClass(from, false)}-${insideClass(to, false)}`;
  if (!foldsCase) return plain;
  if (!/^(?:[a-z][a-z]|[A-Z][A-Z])$/.test(from + to)) {
    if (/^[\x20-\x40]$/.test(from) && /^[\x20-\x40]$/.test(to)) return plain;
    throw new UntranslatableExpression(`the range ${from}-${to} without regard to case`);
  }
  const letters = Array.from({ length: to.charCodeAt(0) - from.charCodeAt(0) + 1 }, (_, index) =>
    String.fromCharCode(from.charCodeAt(0) + index),
  );
  return letters.flatMap(caseVariants).join("");
}

function literal(character: string, foldsCase: boolean): string {
  const variants = foldsCase ? caseVariants(character) : [character];
  return variants.length > 1
    ? `[${variants.join("")}]`
    : character.replace(/[\^$\\.*+?()[\]{}|/]/, "\\$&");
}

function insideClass(character: string, foldsCase: boolean): string {
  if (foldsCase)
    return caseVariants(character)
      .map((one) => insideClass(one, false))
      .join("");
  return /[\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]/.test(character) && character !== " "
    ? `\\u{${character.charCodeAt(0).toString(16)}}`
    : character;
}

/** A letter in both cases; the long s is an s, and the Kelvin sign a k, over all of Unicode. */
function caseVariants(character: string): readonly string[] {
  if (!/[A-Za-z]/.test(character)) {
    const [lower, upper] = [character.toLowerCase(), character.toUpperCase()];
    return [...new Set([character, lower, upper])].filter((one) => /^.$/su.test(one));
  }
  const lower = character.toLowerCase();
  const more: Readonly<Record<string, readonly string[]>> = { s: ["\u017f"], k: ["\u212a"] };
  return [lower, character.toUpperCase(), ...(more[lower] ?? [])];
}
