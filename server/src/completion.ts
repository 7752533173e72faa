/** @file What can be written at a place: keys, values, names from models, data and disk. */
import type { Analysis } from "./analysis.ts";
import { codes } from "./codes.ts";
import type { CompletionContext, Suggestion } from "./complete/suggestion.ts";
import { keySuggestions } from "./complete/keys.ts";
import { sketches } from "./complete/sketches.ts";
import { valueSuggestions } from "./complete/values.ts";
import { cursorAt } from "./cursor.ts";
import { declaredAt } from "./declared.ts";

export interface CompletionItem extends Suggestion {
  /** What is replaced. */
  readonly start: number;
  readonly end: number;
}

export function complete(analysis: Analysis, offset: number): readonly CompletionItem[] {
  const silenced = suppressionItems(analysis.text, offset);
  if (silenced !== undefined) return silenced;
  const cursor = cursorAt(analysis.file, analysis.text, offset);
  if (cursor === undefined) return [];
  const { start, end } = cursor;
  const declared = declaredAt(analysis.root, cursor.document, cursor.path);
  if (declared === undefined) return [];
  const ctx: CompletionContext = { analysis, cursor, path: declared.path };
  const offered =
    cursor.kind === "key"
      ? [
          ...(cursor.path.length === 0 ? sketches(analysis) : []),
          ...keySuggestions(ctx, declared.field),
        ]
      : valueSuggestions(ctx, declared.field);
  return unique(offered).map((suggestion) => ({
    start: suggestion.from ?? start,
    end: suggestion.from !== undefined && suggestion.kind === "column" ? offset : end,
    ...suggestion,
    insert:
      start > 0 && analysis.text[start - 1] === ":" && cursor.kind !== "key"
        ? ` ${suggestion.insert}`
        : suggestion.insert,
  }));
}

function unique(suggestions: readonly Suggestion[]): readonly Suggestion[] {
  const seen = new Set<string>();
  return suggestions.filter(({ label }) => {
    if (seen.has(label)) return false;
    seen.add(label);
    return true;
  });
}

/** Codes behind `# spectune-ignore:`. */
function suppressionItems(text: string, offset: number): readonly CompletionItem[] | undefined {
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  const match = /#\s*spectune-ignore(?:-file)?:\s*(?:[\w-]+\s*,\s*)*([\w-]*)$/.exec(line);
  if (match === null) return undefined;
  const start = offset - (match[1]?.length ?? 0);
  return codes
    .filter(({ by }) => by !== "text")
    .map(({ code, doc }) => ({ label: code, kind: "code", insert: code, doc, start, end: offset }));
}
