/** @file What panels read of analyses: the matrices of a document, with the figures that a panel shows. */
import type { AnalysisDocument } from "../../src/shared/analysis.ts";
import type { AnyDocument } from "../../src/shared/analysis-documents.ts";
import { isAnalysisDocument } from "../../src/shared/analysis-documents.ts";
import { isRecord } from "../../src/shared/wire.ts";

/** An object of the JSON; what it lacks is undefined. */
export type Entry = Readonly<Record<string, unknown>>;

/** All matrices of the documents of a kind, the newest of each name. */
export function matricesOf(documents: readonly AnalysisDocument[], kind: string): readonly Entry[] {
  const found = new Map<string, Entry>();
  const sorted = documents.toSorted((a, b) => a.modified - b.modified);
  for (const { file, json } of sorted) {
    const name = file.split(/[\\/]/).at(-1) ?? "";
    if (!name.startsWith(kind) || !isRecord(json)) continue;
    for (const matrix of entries(json["matrices"])) found.set(text(matrix, "name"), matrix);
  }
  return [...found.values()];
}

/** A document of a kind with the file that it was read from. */
export interface Found<K extends AnyDocument["kind"]> {
  readonly file: string;
  readonly modified: number;
  readonly document: Extract<AnyDocument, { readonly kind: K }>;
}

/** The documents of a kind whose form is known, the newest last. */
export function documentsOf<K extends AnyDocument["kind"]>(
  documents: readonly AnalysisDocument[],
  kind: K,
): readonly Found<K>[] {
  const isKind = (value: AnyDocument): value is Found<K>["document"] => value.kind === kind;
  return documents
    .flatMap(({ file, modified, json }): readonly Found<K>[] =>
      isAnalysisDocument(json) && isKind(json) ? [{ file, modified, document: json }] : [],
    )
    .toSorted((a, b) => a.modified - b.modified);
}

export function entries(value: unknown): readonly Entry[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

/** The object or list at a path of an entry. */
export function at(entry: Entry | undefined, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), entry);
}

export function entryAt(entry: Entry | undefined, ...path: readonly string[]): Entry | undefined {
  const value = at(entry, ...path);
  return isRecord(value) ? value : undefined;
}

/** NaN where there is no number. */
export function number(entry: Entry | undefined, ...path: readonly string[]): number {
  const value = at(entry, ...path);
  return typeof value === "number" ? value : NaN;
}

export function numbers(entry: Entry | undefined, ...path: readonly string[]): readonly number[] {
  const value = at(entry, ...path);
  return Array.isArray(value) ? value.filter((one) => typeof one === "number") : [];
}

export function text(entry: Entry | undefined, ...path: readonly string[]): string {
  const value = at(entry, ...path);
  return typeof value === "string" ? value : "";
}

/** Matrices laid out by what they are and where: a row for each kind of module, a column for each layer. */
export interface Layout {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Places in the list of matrices, row by row; −1 where there is none. */
  readonly places: readonly number[];
}

/** `model.layers.3.self_attn.q_proj.weight` stands in row `self_attn.q_proj`, column 3; what has no layer in column "–". */
export function layoutOf(names: readonly string[]): Layout {
  const cells = names.map((name, place) => ({ place, ...cellOf(name) }));
  const rows = [...new Set(cells.map(({ row }) => row))];
  const columns = [...new Set(cells.map(({ column }) => column))].toSorted((a, b) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
  const places = new Array<number>(rows.length * columns.length).fill(-1);
  for (const { place, row, column } of cells)
    places[rows.indexOf(row) * columns.length + columns.indexOf(column)] = place;
  return { rows, columns, places };
}

function cellOf(name: string): { readonly row: string; readonly column: string } {
  const parts = name.replace(/\.weight$/, "").split(".");
  const layer = parts.findIndex((part) => /^\d+$/.test(part));
  return layer < 0
    ? { row: parts.join("."), column: "–" }
    : { row: parts.slice(layer + 1).join("."), column: parts[layer] ?? "–" };
}
