/** @file Python's regular expressions as JavaScript's, for the flag `v`; what has no counterpart is refused by name. */
import { parsePythonRegex } from "./parse.ts";
import type { AnchorName, ClassName, Fault, Flags, Member, Node } from "./tree.ts";

export type Translated =
  | {
      readonly ok: true;
      readonly source: string;
      /** `v`, and `i` where the whole expression has it. */
      readonly flags: string;
      /** Group n of the expression is named `gn` in `source`. */
      readonly groups: number;
    }
  | ({ readonly ok: false } & Fault);

/**
 * The expression in JavaScript's syntax. White space, digits, word characters, `.`, `^`, `$` and `\b` mean what
 * they mean in Python: Unicode's classes, and a newline alone ends a line. Atomic groups and possessive
 * quantifiers become a lookahead and a reference to what it found. One thing differs: a group that matches
 * nothing in the last round of a repeat around it, as in `(a*)*`, has no text here and an empty one in Python.
 */
export function translatePythonRegex(pattern: string): Translated {
  const parsed = parsePythonRegex(pattern);
  if (!parsed.ok) return parsed;
  const { tree, flags } = parsed;
  const state: State = { ignoreCase: flags.ignoreCase, atomics: 0, groups: 0, unset: undefined };
  const { source } = emit(tree, new Set(), state);
  if (state.unset !== undefined)
    return {
      ok: false,
      message: `\\${state.unset} may refer to a group that has matched nothing, which is not supported`,
      offset: 0,
    };
  return { ok: true, source, flags: flags.ignoreCase ? "iv" : "v", groups: state.groups };
}

interface State {
  readonly ignoreCase: boolean;
  atomics: number;
  groups: number;
  /** A group that a reference may find unset: there Python fails, and JavaScript matches nothing. */
  unset: number | undefined;
}

/** A node's translation, and the groups that have matched for certain behind it. */
interface Emitted {
  readonly source: string;
  readonly set: ReadonlySet<number>;
}

function emit(node: Node, set: ReadonlySet<number>, state: State): Emitted {
  switch (node.kind) {
    case "set":
      return {
        source: cased(setSource(node.members, node.negated, node.flags), node.flags, state),
        set,
      };
    case "any":
      return { source: node.flags.dotAll ? "[^]" : "[^\\n]", set };
    case "anchor":
      return { source: anchorSource(node.name, node.flags), set };
    case "reference":
      if (!set.has(node.group)) state.unset ??= node.group;
      return { source: cased(`\\k<g${node.group}>`, node.flags, state), set };
    case "sequence": {
      let known = set;
      let source = "";
      for (const item of node.items) {
        const emitted = emit(item, known, state);
        source += emitted.source;
        known = emitted.set;
      }
      return { source, set: known };
    }
    case "branches": {
      const each = node.of.map((branch) => emit(branch, set, state));
      const [first, ...others] = each.map((emitted) => emitted.set);
      const common = [...(first ?? set)].filter((group) =>
        others.every((other) => other.has(group)),
      );
      return { source: `(?:${each.map(({ source }) => source).join("|")})`, set: new Set(common) };
    }
    case "group": {
      state.groups = Math.max(state.groups, node.index);
      const { source, set: inner } = emit(node.of, set, state);
      return { source: `(?<g${node.index}>${source})`, set: new Set([...inner, node.index]) };
    }
    case "atomic": {
      const { source, set: inner } = emit(node.of, set, state);
      return { source: atomic(source, state), set: inner };
    }
    case "look": {
      const { source, set: inner } = emit(node.of, set, state);
      const sign = `${node.behind ? "<" : ""}${node.negated ? "!" : "="}`;
      return { source: `(?${sign}${source})`, set: node.negated ? set : inner };
    }
    case "repeat": {
      const { source, set: inner } = emit(node.of, set, state);
      const repeated = `(?:${source})${quantifier(node.min, node.max)}`;
      const whole =
        node.mode === "possessive"
          ? atomic(repeated, state)
          : `${repeated}${node.mode === "lazy" ? "?" : ""}`;
      return { source: whole, set: node.min === 0 ? set : inner };
    }
  }
}

function atomic(source: string, state: State): string {
  state.atomics += 1;
  return `(?=(?<a${state.atomics}>${source}))\\k<a${state.atomics}>`;
}

function quantifier(min: number, max: number): string {
  if (max === Infinity) return min === 0 ? "*" : min === 1 ? "+" : `{${min},}`;
  return min === 0 && max === 1 ? "?" : `{${min},${max}}`;
}

/** A leaf whose case rule is not that of the whole expression says its own. */
function cased(source: string, { ignoreCase }: Flags, state: State): string {
  return ignoreCase === state.ignoreCase ? source : `(?${ignoreCase ? "i" : "-i"}:${source})`;
}

/** Python's `str.isspace`, `isalnum` and decimal digits; with flag `a` those of ASCII. */
const unicodeClasses: { readonly [Name in ClassName]: string } = {
  d: "\\p{Nd}",
  s: "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000",
  w: "\\p{L}\\p{N}_",
};
const asciiClasses: { readonly [Name in ClassName]: string } = {
  d: "0-9",
  s: "\\t-\\r\\x20",
  w: "0-9A-Z_a-z",
};

function classOf(name: ClassName, { ascii }: Flags): string {
  return (ascii ? asciiClasses : unicodeClasses)[name];
}

function setSource(members: readonly Member[], negated: boolean, flags: Flags): string {
  const [only] = members;
  if (members.length === 1 && !negated && only?.kind === "range" && only.from === only.to)
    return character(only.from);
  const parts = members.map((member) => {
    if (member.kind === "range")
      return member.from === member.to
        ? character(member.from)
        : `${character(member.from)}-${character(member.to)}`;
    return `[${member.negated ? "^" : ""}${classOf(member.name, flags)}]`;
  });
  return `[${negated ? "^" : ""}${parts.join("")}]`;
}

/** The same outside a set and inside. */
function character(code: number): string {
  const plain = String.fromCodePoint(code);
  return /^[0-9A-Za-z]$/.test(plain) ? plain : `\\u{${code.toString(16)}}`;
}

function anchorSource(name: AnchorName, flags: Flags): string {
  const word = `[${classOf("w", flags)}]`;
  switch (name) {
    case "start":
      return "^";
    case "end":
      return "$";
    case "line-start":
      return "(?:^|(?<=\\n))";
    case "line-end":
      return flags.multiline ? "(?=\\n|$)" : "(?=\\n?$)";
    case "boundary":
      return `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`;
    case "no-boundary":
      return `(?:(?<=${word})(?=${word})|(?<!${word})(?!${word}))`;
  }
}
