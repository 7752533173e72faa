/** @file Formatting: indentation, spaces and blank lines; what the document says, and its comments, stay as they are. */
import { applyEdits } from "../../src/shared/experiment/edits.ts";
import type { Edit } from "../../src/shared/experiment/findings.ts";
import { collector } from "../../src/shared/experiment/findings.ts";
import { readText } from "../../src/shared/experiment/located.ts";
import { canonicalJson } from "../../src/shared/experiment/serialise.ts";
import type { Located, MapNode } from "../../src/shared/experiment/tree.ts";
import { lineAndColumn, plain } from "../../src/shared/experiment/tree.ts";

/**
 * The text formatted, or as it was where it cannot be read, or where formatting would change what it says.
 */
export function formatText(text: string): string {
  const spaced = text.includes("\t") ? withoutTabs(text) : text;
  const before = read(spaced);
  if (before === undefined) return text;
  const indented = indent(spaced, before);
  const reread = read(indented);
  if (reread === undefined) return text;
  const tidy = blankLines(applyEdits(indented, spacing(reread)));
  const after = read(tidy);
  const same = after !== undefined && canonicalJson(plain(after)) === canonicalJson(plain(before));
  return same && commentsOf(tidy) === commentsOf(spaced) ? tidy : text;
}

/** Tabs at the beginning of lines, which YAML forbids, as two spaces each. */
function withoutTabs(text: string): string {
  return text.replaceAll(/^[ \t]+/gm, (space) => space.replaceAll("\t", "  "));
}

function read(text: string): MapNode | undefined {
  const { findings, report } = collector();
  const { root } = readText("", text, report);
  return findings.some(({ severity }) => severity === "error") ? undefined : root;
}

/** What stands behind `#`, in order: nothing of it may be lost. */
function commentsOf(text: string): string {
  return [...text.matchAll(/(?:^|\s)#([^\n]*)/g)].map(([, comment]) => comment?.trim()).join("\n");
}

/** Two spaces for each level; lines that begin no entry move with the one they belong to. */
function indent(text: string, root: MapNode): string {
  const wanted = new Map<number, number>();
  place(root, 0, wanted);
  const lines = text.split("\n");
  const widths = lines.map((line) => line.length - line.trimStart().length);
  let shift = 0;
  const moved = lines.map((line, index) => {
    const target = wanted.get(index);
    if (target !== undefined) {
      shift = target - (widths[index] ?? 0);
      return " ".repeat(target) + line.trimStart().replace(/^(?:-\s+)+/, oneSpace);
    }
    if (line.trim() === "") return line;
    const ahead = line.trimStart().startsWith("#") ? nextEntry(lines, index, wanted) : undefined;
    if (ahead !== undefined) return " ".repeat(ahead) + line.trimStart();
    const width = Math.max(0, (widths[index] ?? 0) + shift);
    return " ".repeat(width) + line.trimStart();
  });
  return moved.join("\n");
}

/** Behind each dash. */
function oneSpace(dashes: string): string {
  return dashes.replaceAll(/-\s+/g, "- ");
}

/** A comment stands with what follows it. */
function nextEntry(
  lines: readonly string[],
  from: number,
  wanted: ReadonlyMap<number, number>,
): number | undefined {
  for (let index = from + 1; index < lines.length; index += 1) {
    const target = wanted.get(index);
    if (target !== undefined) return target;
    if (!/^\s*(?:#|$)/.test(lines[index] ?? "")) return undefined;
  }
  return undefined;
}

/** Where the lines of block maps and lists begin. */
function place(node: Located, column: number, wanted: Map<number, number>): void {
  if ((node.kind !== "map" && node.kind !== "list") || node.flow) return;
  const children =
    node.kind === "map"
      ? node.entries.map(({ keyAt, value }) => ({ at: keyAt, value }))
      : node.items.map((value) => ({ at: value.at, value }));
  for (const { at, value } of children) {
    const [line] = lineAndColumn(at.source, at.start);
    const lead = at.source.text.slice(at.source.lineStarts[line - 1] ?? 0, at.start);
    const isFirst = node.kind === "map" ? lead.trim() === "" : /^\s*-\s+$/.test(lead);
    if (isFirst && !wanted.has(line - 1)) wanted.set(line - 1, column);
    place(value, column + 2, wanted);
  }
}

/** One space behind a colon and a comma, one inside braces, none inside brackets. */
function spacing(node: Located): readonly Edit[] {
  const edits: Edit[] = [];
  const { source } = node.at;
  const between = (start: number, end: number, form: RegExp, text: string) => {
    const found = source.text.slice(start, end);
    if (start <= end && form.test(found) && found !== text)
      edits.push({ file: source.file, start, end, text });
  };
  if (node.kind === "map")
    for (const { keyAt, value } of node.entries) {
      if (value.at.source === source && value.at.start < value.at.end)
        between(keyAt.end, value.at.start, /^ *: +$/, ": ");
      edits.push(...spacing(value));
    }
  if (node.kind === "list") for (const item of node.items) edits.push(...spacing(item));
  if ((node.kind === "map" || node.kind === "list") && node.flow) {
    const parts =
      node.kind === "map"
        ? node.entries.map(
            ({ keyAt, value }) => [keyAt.start, Math.max(keyAt.end, value.at.end)] as const,
          )
        : node.items.map(({ at }) => [at.start, at.end] as const);
    const pad = node.kind === "map" ? " " : "";
    const [first] = parts;
    const last = parts.at(-1);
    if (first !== undefined && last !== undefined) {
      between(node.at.start + 1, first[0], /^ *$/, pad);
      between(last[1], node.at.end - 1, /^ *$/, pad);
    }
    for (const [index, [start]] of parts.entries()) {
      const before = parts[index - 1];
      if (before !== undefined) between(before[1], start, /^ *, *$/, ", ");
    }
  }
  return edits;
}

/** No space at the ends of lines, no two blank lines, one line break at the end. */
function blankLines(text: string): string {
  const lines = text.split("\n").map((line) => line.trimEnd());
  const kept = lines.filter((line, index) => line !== "" || lines[index - 1] !== "");
  return `${kept.join("\n").trim()}\n`;
}
