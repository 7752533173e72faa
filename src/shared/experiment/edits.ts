/** @file Edits to a file's text that keep the rest of it: removing, inserting and renaming entries. */
import type { Edit } from "./findings.ts";
import type { Entry, Location, MapNode } from "./tree.ts";

/** Applies edits to `text`, which all refer to its state before; of overlapping ones the first counts. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const sorted = edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
  let result = "";
  let done = 0;
  for (const { start, end, text: inserted } of sorted) {
    if (start < done) continue;
    result += text.slice(done, start) + inserted;
    done = end;
  }
  return result + text.slice(done);
}

export function replace({ source, start, end }: Location, text: string): Edit {
  return { file: source.file, start, end, text };
}

/** Removes an entry of a map: its lines in block style, its part between commas in flow style. */
export function deletionOf(map: MapNode, entry: Entry): readonly Edit[] {
  const { source } = entry.keyAt;
  const { text, file } = source;
  const end = Math.max(entry.value.at.end, entry.keyAt.end);
  if (map.flow) {
    const after = /^\s*,[ \t]*/.exec(text.slice(end));
    if (after !== null)
      return [{ file, start: entry.keyAt.start, end: end + after[0].length, text: "" }];
    const before = /,?\s*$/.exec(text.slice(0, entry.keyAt.start));
    const start = entry.keyAt.start - (before?.[0].length ?? 0);
    return [{ file, start, end, text: "" }];
  }
  const start = lineStart(entry.keyAt);
  // An entry behind `- ` shares its line with the dash.
  if (text.slice(start, entry.keyAt.start).trim() !== "")
    return [{ file, start: entry.keyAt.start, end, text: "" }];
  const newline = text.indexOf("\n", Math.max(end - 1, entry.keyAt.start));
  return [{ file, start, end: newline < 0 ? text.length : newline + 1, text: "" }];
}

/** Adds `key: value` at the end of a map; no edits where the map does not stand in the file as one. */
export function insertionInto(map: MapNode, key: string, value: string): readonly Edit[] {
  const { source } = map.at;
  const { file, text } = source;
  // What a foreign name elsewhere in the file means has its value alone there.
  const entries = map.entries.filter((entry) => isWritten(entry));
  const last = entries.at(-1);
  if (map.flow) {
    if (text[map.at.start] !== "{") return [];
    const end = last === undefined ? map.at.start + 1 : Math.max(last.value.at.end, last.keyAt.end);
    const inserted = last === undefined ? ` ${key}: ${value} ` : `, ${key}: ${value}`;
    return [{ file, start: end, end, text: inserted }];
  }
  const [first] = entries;
  if (last === undefined || first === undefined)
    return [{ file, start: map.at.end, end: map.at.end, text: `${key}: ${value}\n` }];
  const indent = " ".repeat(first.keyAt.start - lineStart(first.keyAt));
  const end = Math.max(last.value.at.end, last.keyAt.end);
  const newline = text.indexOf("\n", Math.max(end - 1, last.keyAt.start));
  const start = newline < 0 ? text.length : newline + 1;
  const lead = newline < 0 && !text.endsWith("\n") ? "\n" : "";
  return [{ file, start, end: start, text: `${lead}${indent}${key}: ${value}\n` }];
}

/** Whether the key itself stands in the file: of what a foreign name means, the value alone does. */
export function isWritten({ keyAt, value }: Entry): boolean {
  return keyAt.start !== value.at.start;
}

/** Where the line begins that a place is in; behind the byte order mark that the first may have. */
function lineStart({ source: { text }, start }: Location): number {
  const begin = start === 0 ? 0 : text.lastIndexOf("\n", start - 1) + 1;
  return begin === 0 && text.startsWith("\ufeff") ? 1 : begin;
}
