/** @file Reads what `spectune quantize --compare` wrote, and lays its matrices out. */
import type { AnalysisDocument } from "../../../src/shared/analysis.ts";
import type { QuantizeDocument } from "../../../src/shared/quantize-records.ts";
import { quantizeVersion } from "../../../src/shared/quantize-records.ts";
import { isRecord } from "../../../src/shared/wire.ts";

/** The newest comparison of a form that is known here. */
export function newestComparison(
  documents: readonly AnalysisDocument[],
): QuantizeDocument | undefined {
  return documents
    .toSorted((a, b) => b.modified - a.modified)
    .map(({ json }): unknown => json)
    .find(isQuantizeDocument);
}

function isQuantizeDocument(value: unknown): value is QuantizeDocument {
  return (
    isRecord(value) &&
    value["version"] === quantizeVersion &&
    value["kind"] === "quantize" &&
    Array.isArray(value["rows"]) &&
    Array.isArray(value["matrices"])
  );
}

/** What a cell of the map shows of one quantizer. */
export type ErrorFigure = "output" | "weight" | "bits";

export interface ErrorMap {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [rows, columns]; NaN where there is none. */
  readonly values: readonly number[];
  /** Places of the cells in the document's matrices; −1 where there is none. */
  readonly places: readonly number[];
}

/** A row for each kind of matrix, a column for each layer. */
export function errorMap(
  { matrices }: QuantizeDocument,
  label: string,
  figure: ErrorFigure,
): ErrorMap {
  const rows = [...new Set(matrices.map(({ kind }) => kind))];
  const layers = [...new Set(matrices.map(({ layer }) => layer))].toSorted((a, b) => a - b);
  const places = rows.flatMap((row) =>
    layers.map((layer) => matrices.findIndex((each) => each.kind === row && each.layer === layer)),
  );
  return {
    rows,
    columns: layers.map(String),
    values: places.map((place) => matrices[place]?.errors[label]?.[figure] ?? NaN),
    places,
  };
}
