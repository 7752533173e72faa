/** @file Located values: what a text says, each piece knowing where it stands. */
import type { Json } from "../schema.ts";

/** A text with its name; `lineStarts` are the offsets at which lines begin. */
export interface Source {
  readonly file: string;
  readonly text: string;
  readonly lineStarts: readonly number[];
}

/** Offsets into a source, `end` excluded. */
export interface Location {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

interface Anywhere {
  readonly at: Location;
}

/** `written` is the text as it stands in the file, with its quotes. */
interface Written extends Anywhere {
  readonly written: string;
}

export interface NullNode extends Written {
  readonly kind: "null";
}
export interface BoolNode extends Written {
  readonly kind: "bool";
  readonly value: boolean;
}
export interface NumberNode extends Written {
  readonly kind: "number";
  readonly value: number;
}
export interface TextNode extends Written {
  readonly kind: "text";
  readonly value: string;
  readonly quoted: boolean;
}
export interface ListNode extends Anywhere {
  readonly kind: "list";
  readonly items: readonly Located[];
  /** Written as `[a, b]`. */
  readonly flow: boolean;
}
export interface MapNode extends Anywhere {
  readonly kind: "map";
  readonly entries: readonly Entry[];
  /** Written as `{ a: 1 }`. */
  readonly flow: boolean;
}
export type ScalarNode = NullNode | BoolNode | NumberNode | TextNode;
export type Located = ScalarNode | ListNode | MapNode;

export interface Entry {
  readonly key: string;
  readonly keyAt: Location;
  readonly value: Located;
}

/** Keys from the root, list items by index: `["method", "r"]`; in a file `method.r`. */
export type Path = readonly string[];

export function source(file: string, text: string): Source {
  const lineStarts = [0];
  for (let index = text.indexOf("\n"); index >= 0; index = text.indexOf("\n", index + 1))
    lineStarts.push(index + 1);
  return { file, text, lineStarts };
}

/** Line and column of an offset, both from 1; columns count UTF-16 units, as editors do. */
export function lineAndColumn({ lineStarts }: Source, offset: number): readonly [number, number] {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return [low + 1, offset - (lineStarts[low] ?? 0) + 1];
}

export function entryOf(node: Located | undefined, key: string): Entry | undefined {
  return node?.kind === "map" ? node.entries.find((entry) => entry.key === key) : undefined;
}

/** The value at `path`, if the text says one. */
export function nodeAt(root: Located, path: Path): Located | undefined {
  let node: Located | undefined = root;
  for (const step of path) {
    if (node === undefined) return undefined;
    node = node.kind === "list" ? node.items[Number(step)] : entryOf(node, step)?.value;
  }
  return node;
}

/** Where `path` is said: its value, or the key of the nearest ancestor that is there. */
export function locationOf(root: Located, path: Path): Location {
  let node: Located = root;
  let at: Location = beginningOf(root);
  for (const step of path) {
    if (node.kind === "list") {
      const item: Located | undefined = node.items[Number(step)];
      if (item === undefined) return at;
      node = item;
      at = item.at;
      continue;
    }
    const entry = entryOf(node, step);
    if (entry === undefined) return at;
    node = entry.value;
    at = entry.keyAt;
  }
  return path.length === 0 || isEmptyAt(node) ? at : node.at;
}

/** The first character of a value: where a finding about a whole map is shown. */
export function beginningOf({ at }: Located): Location {
  return { ...at, end: Math.min(at.end, at.start + 1) };
}

function isEmptyAt(node: Located): boolean {
  return node.at.start === node.at.end || node.kind === "map" || node.kind === "list";
}

/** The value without its places; infinities and NaN, which JSON cannot hold, are null. */
export function plain(node: Located): Json {
  switch (node.kind) {
    case "null":
      return null;
    case "number":
      return Number.isFinite(node.value) ? node.value : null;
    case "bool":
    case "text":
      return node.value;
    case "list":
      return node.items.map(plain);
    case "map":
      // `fromEntries` defines properties, so that a key `__proto__` stays a key.
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
  }
}

/** A value that no file says, placed at `at`. What JSON cannot hold reads as null. */
export function locate(value: unknown, at: Location, depth = 0): Located {
  if (typeof value === "string") return { kind: "text", value, quoted: true, written: value, at };
  if (typeof value === "number") return { kind: "number", value, written: String(value), at };
  if (typeof value === "boolean") return { kind: "bool", value, written: String(value), at };
  if (depth > 100) return { kind: "null", written: "null", at };
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => locate(item, at, depth + 1));
    return { kind: "list", items, flow: true, at };
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]: [string, unknown]) => ({
      key,
      keyAt: at,
      value: locate(inner, at, depth + 1),
    }));
    return { kind: "map", entries, flow: true, at };
  }
  return { kind: "null", written: "null", at };
}

/** A place in something that is not a text, such as a command line. */
export function nowhere(file: string): Location {
  return { source: source(file, ""), start: 0, end: 0 };
}

/** Where nothing is said, of a document that is not written. */
export function emptyMap(at: Location): MapNode {
  return { kind: "map", entries: [], flow: true, at };
}
