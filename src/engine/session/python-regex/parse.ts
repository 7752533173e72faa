/**
 * @file Reads the regular expressions of Python's `re` (3.11 and later), for texts, not bytes.
 *
 * Syntax: https://docs.python.org/3/library/re.html#regular-expression-syntax
 */
import { escapeInSet, escapeOutside } from "./escapes.ts";
import type { Reader } from "./reader.ts";
import { createReader, reference } from "./reader.ts";
import type { Fault, Flags, Member, Node } from "./tree.ts";
import { widthOf } from "./tree.ts";

export type Parsed =
  | { readonly ok: true; readonly tree: Node; readonly flags: Flags }
  | ({ readonly ok: false } & Fault);

/** More than any expression written by hand. */
const longest = 10_000;
const deepest = 100;

const plainFlags: Flags = {
  ignoreCase: false,
  multiline: false,
  dotAll: false,
  verbose: false,
  ascii: false,
};

export function parsePythonRegex(pattern: string): Parsed {
  if (pattern.length > longest)
    return { ok: false, message: `it is longer than ${longest} characters`, offset: longest };
  // Flags for the whole expression stand at its beginning.
  const global = /^\(\?([a-zA-Z]+)\)/.exec(pattern);
  const reader = createReader(pattern, global?.[0].length ?? 0);
  const flags = global === null ? plainFlags : withFlags(reader, plainFlags, global[1] ?? "", "");
  const tree = branches(reader, flags);
  if (!reader.ended()) reader.fail("unbalanced parenthesis");
  const failure = reader.failure();
  return failure === undefined ? { ok: true, tree, flags } : { ok: false, ...failure };
}

function branches(reader: Reader, flags: Flags): Node {
  const { groups } = reader;
  groups.depth += 1;
  if (groups.depth > deepest) reader.fail(`it is nested deeper than ${deepest} groups`);
  const of = [sequence(reader, flags)];
  while (reader.take("|")) of.push(sequence(reader, flags));
  groups.depth -= 1;
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { kind: "branches", of };
}

function sequence(reader: Reader, flags: Flags): Node {
  const items: Node[] = [];
  while (!reader.ended() && reader.peek() !== "|" && reader.peek() !== ")") {
    if (flags.verbose && reader.match(/\s+|#[^\n]*/y) !== undefined) continue;
    const start = reader.offset();
    const bounds = repeatBounds(reader);
    if (bounds === undefined) {
      const item = atom(reader, flags);
      if (item !== undefined) items.push(item);
      continue;
    }
    const last = items.pop();
    if (last === undefined || last.kind === "anchor") reader.fail("nothing to repeat", start);
    else if (last.kind === "repeat") reader.fail("multiple repeat", start);
    else if (bounds[0] > bounds[1]) reader.fail("min repeat greater than max repeat", start);
    else {
      const mode = reader.take("?") ? "lazy" : reader.take("+") ? "possessive" : "greedy";
      items.push({ kind: "repeat", min: bounds[0], max: bounds[1], mode, of: last });
    }
  }
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: "sequence", items };
}

/** The bounds of a quantifier, where one comes next; a brace of another form is a plain character. */
function repeatBounds(reader: Reader): readonly [number, number] | undefined {
  if (reader.take("*")) return [0, Infinity];
  if (reader.take("+")) return [1, Infinity];
  if (reader.take("?")) return [0, 1];
  const braces = reader.match(/\{(?!\})(\d*)(,?)(\d*)\}/y);
  if (braces === undefined) return undefined;
  const [, low = "", comma, high = ""] = braces;
  const min = low === "" ? 0 : Number(low);
  return [min, comma === "" ? min : high === "" ? Infinity : Number(high)];
}

/** One item without its quantifier; `undefined` for a comment. */
function atom(reader: Reader, flags: Flags): Node | undefined {
  const start = reader.offset();
  const character = reader.next();
  switch (character) {
    case ".":
      return { kind: "any", flags };
    case "^":
      return { kind: "anchor", name: flags.multiline ? "line-start" : "start", flags };
    case "$":
      return { kind: "anchor", name: "line-end", flags };
    case "[":
      return set(reader, flags, start);
    case "(":
      return group(reader, flags, start);
    case "\\":
      return escapeOutside(reader, flags, start);
    default:
      return literal(character, flags);
  }
}

function literal(character: string, flags: Flags): Node {
  const code = character.codePointAt(0) ?? 0;
  const members = [{ kind: "range", from: code, to: code }] as const;
  return { kind: "set", members, negated: false, flags };
}

function set(reader: Reader, flags: Flags, start: number): Node {
  const negated = reader.take("^");
  const members: Member[] = [];
  for (let first = true; first || reader.peek() !== "]"; first = false) {
    const at = reader.offset();
    const from = setMember(reader, start);
    if (from === undefined) return { kind: "sequence", items: [] };
    const beforeDash = reader.offset();
    const isRange = reader.take("-") && reader.peek() !== "]";
    if (!isRange) {
      reader.rewind(beforeDash);
      members.push(from);
      continue;
    }
    const to = setMember(reader, start);
    if (to === undefined) return { kind: "sequence", items: [] };
    if (from.kind === "class" || to.kind === "class" || to.from < from.from)
      reader.fail("bad character range", at);
    else members.push({ kind: "range", from: from.from, to: to.from });
  }
  reader.take("]");
  return { kind: "set", members, negated, flags };
}

/** One character or class of a set; `undefined` where the set does not end. */
function setMember(reader: Reader, start: number): Member | undefined {
  if (reader.ended()) {
    reader.fail("unterminated character set", start);
    return undefined;
  }
  const at = reader.offset();
  const character = reader.next();
  if (character === "\\") return escapeInSet(reader, at);
  const code = character.codePointAt(0) ?? 0;
  return { kind: "range", from: code, to: code };
}

function group(reader: Reader, flags: Flags, start: number): Node | undefined {
  const { groups } = reader;
  if (!reader.take("?")) return capture(reader, flags, start, undefined);
  if (reader.take("#")) {
    if (reader.match(/[^)]*\)/y) === undefined)
      reader.fail("missing ), unterminated comment", start);
    return undefined;
  }
  if (reader.take("P<")) {
    const name = reader.match(/([\p{ID_Start}_]\p{ID_Continue}*)>/uy)?.[1];
    if (name === undefined) reader.fail("bad character in group name");
    else if (groups.names.has(name)) reader.fail(`redefinition of group name ${name}`, start);
    return capture(reader, flags, start, name);
  }
  if (reader.take("P=")) {
    const name = reader.match(/([^)]*)\)/y)?.[1] ?? "";
    const index = groups.names.get(name);
    if (index === undefined) reader.fail(`unknown group name ${name}`, start);
    return reference(reader, index ?? 0, flags, start);
  }
  if (reader.take("(")) {
    reader.fail(
      "a conditional group (?(…)…|…) is not supported; write both cases out with |",
      start,
    );
    return undefined;
  }
  if (reader.take(":")) return closed(reader, branches(reader, flags), start);
  if (reader.take(">"))
    return { kind: "atomic", of: closed(reader, branches(reader, flags), start) };
  const look = reader.match(/<?[=!]/y)?.[0];
  if (look !== undefined) {
    const behind = look.startsWith("<");
    const of = closed(reader, branches(reader, flags), start);
    const [min, max] = widthOf(of, groups.closed);
    if (behind && min !== max) reader.fail("look-behind requires fixed-width pattern", start);
    return { kind: "look", behind, negated: look.endsWith("!"), of };
  }
  const scoped = reader.match(/([a-zA-Z]*)(?:-([a-zA-Z]+))?([:)])/y);
  if (scoped === undefined) reader.fail("unknown extension, or a flag is missing", start);
  else if (scoped[3] === ")") reader.fail("global flags not at the start of the expression", start);
  const inner = withFlags(reader, flags, scoped?.[1] ?? "", scoped?.[2] ?? "");
  return closed(reader, branches(reader, inner), start);
}

function capture(reader: Reader, flags: Flags, start: number, name: string | undefined): Node {
  const { groups } = reader;
  groups.count += 1;
  const index = groups.count;
  if (name !== undefined) groups.names.set(name, index);
  const of = closed(reader, branches(reader, flags), start);
  groups.closed.set(index, widthOf(of, groups.closed));
  return { kind: "group", index, of };
}

function closed(reader: Reader, node: Node, start: number): Node {
  if (!reader.take(")")) reader.fail("missing ), unterminated subpattern", start);
  return node;
}

/** `flags` with letters set and taken away. */
function withFlags(reader: Reader, flags: Flags, on: string, off: string): Flags {
  const known: Readonly<Record<string, keyof Flags>> = {
    i: "ignoreCase",
    m: "multiline",
    s: "dotAll",
    x: "verbose",
    a: "ascii",
  };
  const changed: Record<keyof Flags, boolean> = { ...flags };
  for (const letter of on) {
    const flag = known[letter];
    // Texts are Unicode as they are; `u` takes back an `a` around it.
    if (letter === "u") changed.ascii = false;
    else if (letter === "L") reader.fail("flag L works on bytes only");
    else if (flag === undefined) reader.fail(`unknown flag ${letter}`);
    else changed[flag] = true;
  }
  for (const letter of off) {
    const flag = known[letter];
    if (flag === undefined || letter === "a") reader.fail(`flag ${letter} cannot be turned off`);
    else changed[flag] = false;
  }
  return changed;
}
