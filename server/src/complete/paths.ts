/** @file Paths from disk and hub ids from the cache. */
import { join } from "../../../src/shared/experiment/paths.ts";
import type { FolderEntry } from "../facts.ts";
import { valueOf } from "../facts.ts";
import type { CompletionContext, Suggestion } from "./suggestion.ts";

/** Which entries of a folder belong to which field. */
const wanted: readonly { readonly field: RegExp; readonly file: RegExp }[] = [
  { field: /^data\.|^eval\.forgetting/, file: /\.(?:jsonl|ndjson|csv|parquet|txt)$/i },
  { field: /^extends$/, file: /\.ya?ml$/i },
  { field: /^method\b.*\.from$|^model/, file: /^$/ },
];

export function pathSuggestions({
  analysis,
  cursor,
  path,
}: CompletionContext): readonly Suggestion[] {
  const { typed, start } = cursor;
  const slash = typed.lastIndexOf("/");
  const written = typed.slice(0, slash + 1);
  const folder = join(analysis.base, written === "" ? "." : written);
  const entries = valueOf(analysis.facts.folder(folder === "" ? "." : folder)) ?? [];
  const files = wanted.find(({ field }) => field.test(path.join(".")))?.file ?? /./;
  const lead = written === "" ? "./" : "";
  return entries.flatMap((entry) => entrySuggestion(entry, files, lead, start + slash + 1));
}

function entrySuggestion(
  { name, kind }: FolderEntry,
  files: RegExp,
  lead: string,
  from: number,
): readonly Suggestion[] {
  if (name.startsWith(".")) return [];
  if (kind === "file" && !files.test(name)) return [];
  const text = /[\s#:{}[\],&*!|>'"%@`]/.test(name) ? undefined : `${lead}${name}`;
  if (text === undefined) return [];
  return kind === "folder"
    ? [{ label: `${text}/`, kind: "folder", insert: text, from, rank: 2 }]
    : [{ label: text, kind: "file", insert: text, from, rank: 1 }];
}

/** Hub ids of the cache, then folders. */
export function modelSuggestions(ctx: CompletionContext): readonly Suggestion[] {
  const ids = valueOf(ctx.analysis.facts.hubModels()) ?? [];
  return [
    ...pathSuggestions(ctx),
    ...ids.map((id): Suggestion => ({
      label: id,
      kind: "model",
      insert: id,
      detail: "in the cache",
      rank: 1,
    })),
  ];
}
