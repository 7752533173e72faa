/** @file What is being written at a place of a half-typed document: a key, a value or an item of a list, and where. */
import { Lexer } from "yaml";
import { collector } from "../../src/shared/experiment/findings.ts";
import { readText } from "../../src/shared/experiment/located.ts";
import type { Located, MapNode, Path } from "../../src/shared/experiment/tree.ts";
import { lineAndColumn, nodeAt } from "../../src/shared/experiment/tree.ts";

export interface Cursor {
  readonly kind: "key" | "value" | "item";
  /** Of the map that gets a key, of the value, or of the item. */
  readonly path: Path;
  /** What stands between `start` and the place, and is completed. */
  readonly typed: string;
  /** What a completion replaces. */
  readonly start: number;
  readonly end: number;
  /** Inside `{ }` or `[ ]`. */
  readonly flow: boolean;
  /** Spaces before the key of a line in block style. */
  readonly indent: number;
  /** A key that a colon already follows. */
  readonly hasColon: boolean;
  /** The document, with a mark where the cursor is. */
  readonly document: MapNode;
}

/** No file of anybody says this. */
const mark = "\u2042cursor\u2042";

interface Word {
  readonly kind: "key" | "value" | "item";
  readonly start: number;
  readonly end: number;
  readonly flow: boolean;
  readonly indent: number;
}

/** What is written at `offset`; `undefined` in comments and where no field can be told. */
export function cursorAt(file: string, text: string, offset: number): Cursor | undefined {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  if (/(?:^|\s)#/.test(withoutQuoted(text.slice(lineStart, offset)))) return undefined;
  const word = wordAt(text, offset, lineStart);
  if (word === undefined) return undefined;
  for (const kind of word.kind === "item" ? (["item", "key"] as const) : [word.kind]) {
    const found = placed(file, text, offset, { ...word, kind });
    if (found !== undefined) return found;
  }
  return undefined;
}

function placed(file: string, text: string, offset: number, word: Word): Cursor | undefined {
  const { kind, start, end } = word;
  const after = text.slice(end);
  const hasColon = /^["']?\s*:(?:\s|$)/.test(after);
  // In front of what stands on the line already a key would swallow it.
  if (kind === "key" && !hasColon && !/^[ \t]*(?:$|[\r\n#,}\]])/.test(after)) return undefined;
  const lead = start > 0 && text[start - 1] === ":" ? " " : "";
  const inserted = kind === "key" && !hasColon ? `${mark}: ` : mark;
  const patched = text.slice(0, start) + lead + inserted + after;
  const document = readText(file, patched, collector().report).root;
  const found = find(document, []);
  if (found === undefined) return undefined;
  // The value of `data:` stands on the lines below: behind the colon is no place for it, nor for a key of it.
  if (
    !word.flow &&
    found.kind === "key" &&
    (kind === "value" || !isAligned(document, found.path, word))
  )
    return undefined;
  return {
    kind: found.kind === "key" ? "key" : kind === "item" ? "item" : "value",
    path: found.path,
    typed: text.slice(start, offset),
    start,
    end,
    flow: word.flow,
    indent: word.indent,
    hasColon,
    document,
  };
}

/** Whether a key would stand below the other keys of its map; to the right or left of them it breaks the file. */
function isAligned(document: MapNode, path: Path, { indent }: Word): boolean {
  const map = nodeAt(document, path);
  const others = map?.kind === "map" ? map.entries.filter(({ key }) => !key.includes(mark)) : [];
  return (
    others.length === 0 ||
    others.some(({ keyAt }) => lineAndColumn(keyAt.source, keyAt.start)[1] === indent + 1)
  );
}

function find(
  node: Located,
  path: Path,
): { readonly kind: "key" | "value"; readonly path: Path } | undefined {
  if (node.kind === "text" && node.value.includes(mark)) return { kind: "value", path };
  if (node.kind === "map")
    for (const { key, value } of node.entries) {
      if (key.includes(mark)) return { kind: "key", path };
      const found = find(value, [...path, key]);
      if (found !== undefined) return found;
    }
  if (node.kind === "list")
    for (const [index, item] of node.items.entries()) {
      const found = find(item, [...path, String(index)]);
      if (found !== undefined) return found;
    }
  return undefined;
}

function wordAt(text: string, offset: number, lineStart: number): Word | undefined {
  const brackets = openBrackets(text.slice(0, offset));
  return brackets === undefined
    ? blockWord(text, offset, lineStart)
    : flowWord(text, offset, brackets);
}

/** Dashes of list items, a key with its colon, and what has been typed behind. */
const lineForm =
  /^(\s*(?:-\s+)*)(?:((?:"[^"]*"|'[^']*'|[^\s#:'"{}[\]-][^:#]*?))\s*:(\s+|$))?(.*)$/s;

function blockWord(text: string, offset: number, lineStart: number): Word | undefined {
  const match = lineForm.exec(text.slice(lineStart, offset));
  if (match === null) return undefined;
  const [, lead = "", key, space = "", rest = ""] = match;
  const newline = text.indexOf("\n", offset);
  const line = text.slice(lineStart, newline < 0 ? text.length : newline);
  const indent = lead.length;
  if (key === undefined) {
    const start = offset - rest.length;
    if (rest.endsWith(":"))
      return { kind: "value", start: offset, end: offset, flow: false, indent };
    const end = offset + (/^[\w.-]*/.exec(text.slice(offset))?.[0].length ?? 0);
    return { kind: lead.includes("-") ? "item" : "key", start, end, flow: false, indent };
  }
  const quote = /^["']/.exec(rest)?.[0];
  const start = offset - rest.length + (quote === undefined ? 0 : 1);
  const tail = line.slice(offset - lineStart);
  const stop = quote === undefined ? tail.search(/\s+#|\s*$/) : tail.indexOf(quote);
  const end = offset + (stop < 0 ? tail.trimEnd().length : stop);
  if (space === "" && rest === "")
    return { kind: "value", start: offset, end: Math.max(end, offset), flow: false, indent };
  return { kind: "value", start, end, flow: false, indent };
}

interface OpenBracket {
  readonly bracket: "{" | "[";
  /** What stands before the cursor within it: a bracket or comma, a colon, or a value's beginning. */
  readonly after: "begin" | "colon";
  /** Where what is being typed begins. */
  readonly start: number;
}

/** The innermost bracket that is open at the end of `text`. */
function openBrackets(text: string): OpenBracket | undefined {
  const stack: { bracket: "{" | "["; after: "begin" | "colon"; start: number }[] = [];
  let offset = 0;
  let scalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    // Control characters announce what follows and stand for nothing in the text.
    if (/^[\u0002\u0018\u001f\ufeff]$/.test(lexeme)) {
      scalar = lexeme === "\u001f";
      continue;
    }
    offset += lexeme.length;
    const top = stack.at(-1);
    if (scalar) scalar = false;
    else if (lexeme === "{" || lexeme === "[")
      stack.push({ bracket: lexeme, after: "begin", start: offset });
    else if (lexeme === "}" || lexeme === "]") stack.pop();
    else if (top !== undefined && lexeme === ",")
      Object.assign(top, { after: "begin", start: offset });
    else if (top !== undefined && lexeme === ":")
      Object.assign(top, { after: "colon", start: offset });
  }
  return stack.at(-1);
}

function flowWord(
  text: string,
  offset: number,
  { bracket, after, start: from }: OpenBracket,
): Word {
  const typed = text.slice(from, offset);
  const space = /^\s*/.exec(typed)?.[0].length ?? 0;
  const quote = /^\s*["']/.test(typed) ? 1 : 0;
  const start = from + space + quote;
  const tail = text.slice(offset);
  const stop = tail.search(
    quote === 1 ? /["'\n]/ : after === "colon" || bracket === "[" ? /\s*[,}\]\n]|\s#/ : /[\s:,}\]]/,
  );
  const end = offset + (stop < 0 ? tail.length : stop);
  const kind = after === "colon" ? "value" : bracket === "{" ? "key" : "item";
  return { kind, start, end: Math.max(end, start), flow: true, indent: 0 };
}

/** A `#` in quotes begins no comment. */
function withoutQuoted(line: string): string {
  return line.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) => "x".repeat(quoted.length));
}
