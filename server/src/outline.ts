/** @file The document's outline, and what of it can be folded. */
import { inline } from "../../src/shared/experiment/describe.ts";
import type { Entry, Located } from "../../src/shared/experiment/tree.ts";
import { entryOf, lineAndColumn, plain, source } from "../../src/shared/experiment/tree.ts";
import type { Analysis } from "./analysis.ts";

export interface Symbol {
  readonly name: string;
  /** A lone value, shortened. */
  readonly detail: string;
  readonly kind: "section" | "list" | "value";
  readonly start: number;
  readonly end: number;
  /** The key alone. */
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly children: readonly Symbol[];
}

const longest = 60;

export function outline({ written }: Analysis): readonly Symbol[] {
  return childrenOf(written());
}

function childrenOf(node: Located): readonly Symbol[] {
  if (node.kind === "map") return node.entries.map(symbolOf);
  if (node.kind !== "list" || node.items.every((item) => item.kind !== "map")) return [];
  return node.items.map((item, index) => {
    const type = entryOf(item, "type")?.value;
    const name = type?.kind === "text" ? type.value : String(index + 1);
    const { start, end } = item.at;
    return {
      name,
      detail: "",
      kind: "section",
      start,
      end,
      nameStart: start,
      nameEnd: Math.min(end, start + 1),
      children: childrenOf(item),
    };
  });
}

function symbolOf({ key, keyAt, value }: Entry): Symbol {
  const simple = value.kind !== "map" && (value.kind !== "list" || childrenOf(value).length === 0);
  const text = simple ? inline(plain(value)) : "";
  return {
    name: key === "" ? "?" : key,
    detail: text.length > longest ? `${text.slice(0, longest)}…` : text,
    kind: value.kind === "map" ? "section" : value.kind === "list" ? "list" : "value",
    start: Math.min(keyAt.start, value.at.start),
    end: Math.max(keyAt.end, value.at.end),
    nameStart: keyAt.start,
    nameEnd: keyAt.end,
    children: childrenOf(value),
  };
}

/** Lines count from 0. */
export interface Fold {
  readonly startLine: number;
  readonly endLine: number;
  readonly kind: "section" | "comment";
}

export function folds({ written, text }: Analysis): readonly Fold[] {
  return [...sectionFolds(written()), ...commentFolds(text)];
}

function sectionFolds(node: Located): readonly Fold[] {
  if (node.kind === "list") return node.items.flatMap(sectionFolds);
  if (node.kind !== "map") return [];
  return node.entries.flatMap(({ keyAt, value }) => {
    const [startLine] = lineAndColumn(keyAt.source, keyAt.start);
    const { start, end, source: from } = value.at;
    const trimmed = start + from.text.slice(start, end).trimEnd().length;
    const [endLine] = lineAndColumn(from, Math.max(start, trimmed - 1));
    const own: readonly Fold[] =
      endLine > startLine
        ? [{ startLine: startLine - 1, endLine: endLine - 1, kind: "section" }]
        : [];
    return [...own, ...sectionFolds(value)];
  });
}

/** Comments of several lines. */
function commentFolds(text: string): readonly Fold[] {
  const { lineStarts } = source("", text);
  const lines = lineStarts.map((start, index) =>
    text.slice(start, lineStarts[index + 1] ?? text.length),
  );
  const result: Fold[] = [];
  let first: number | undefined;
  for (const [index, line] of [...lines, ""].entries()) {
    if (/^\s*#/.test(line)) first ??= index;
    else {
      if (first !== undefined && index - first > 1)
        result.push({ startLine: first, endLine: index - 1, kind: "comment" });
      first = undefined;
    }
  }
  return result;
}
