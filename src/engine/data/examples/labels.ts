/** @file The labels of a classifier, and the numbers of a regression. */
import { UserError } from "../../../shared/errors.ts";
import { nearest } from "../../../shared/experiment/nearest.ts";
import { columnValue, kindOf, rowName, type Row } from "../rows/row.ts";

/** A data set with more different labels than this is no classification. */
const mostLabels = 10_000;

/** A label as the data have it, in its canonical spelling: a whole number, a word, or true or false. */
export function labelName(row: Row, column: string): string {
  const value = columnValue(row, column);
  if (typeof value === "string" && value !== "") return value;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  throw labelError(row, `Column \`${column}\` holds ${kindOf(value)}, which is no label.`);
}

/** A regression's number. */
export function labelNumber(row: Row, column: string): number {
  const value = columnValue(row, column);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw labelError(row, `Column \`${column}\` holds ${kindOf(value)}, which is no number.`);
}

/**
 * The labels in the order of their ids, out of those that occur: whole numbers from 0 stand for themselves
 * (with the gaps between them), anything else is sorted, as Hugging Face's `class_encode_column` does.
 */
export function orderedLabels(names: Iterable<string>): readonly string[] {
  const distinct = [...new Set(names)];
  if (distinct.every((name) => /^(?:0|[1-9]\d{0,4})$/.test(name)) && distinct.length > 0) {
    const largest = Math.max(...distinct.map(Number));
    if (largest < mostLabels && largest < 4 * distinct.length)
      return Array.from({ length: largest + 1 }, (_, id) => String(id));
  }
  return distinct.toSorted((a, b) => (a < b ? -1 : 1));
}

/** Whether the labels of these rows are measurements rather than classes: some number has a fraction. */
export function looksLikeRegression(names: Iterable<string>): boolean {
  let fraction = false;
  for (const name of names) {
    if (!isNumber(name)) return false;
    if (!Number.isInteger(Number(name))) fraction = true;
  }
  return fraction;
}

function isNumber(name: string): boolean {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(name);
}

/** Gives ids to label names in the order in which they come; {@link LabelIds.names} is that order. */
export interface LabelIds {
  idOf(row: Row, name: string): number;
  readonly names: readonly string[];
}

/** Takes every label it sees: any number of numbers, which may be measurements, but only so many words. */
export function collectedLabels(): LabelIds {
  const ids = new Map<string, number>();
  const names: string[] = [];
  return {
    names,
    idOf(row, name) {
      const known = ids.get(name);
      if (known !== undefined) return known;
      if (names.length >= mostLabels && !isNumber(name))
        throw labelError(row, `There are more than ${mostLabels} different labels.`);
      ids.set(name, names.length);
      return names.push(name) - 1;
    },
  };
}

/** Takes these labels only; where they are words, a whole number may stand for its id. */
export function fixedLabels(names: readonly string[]): LabelIds {
  const ids = new Map(names.map((name, id) => [name, id]));
  return {
    names,
    idOf(row, name) {
      const id = ids.get(name) ?? (/^\d{1,5}$/.test(name) ? Number(name) : -1);
      if (id >= 0 && id < names.length) return id;
      const near = nearest(name, names);
      const known = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
      throw labelError(
        row,
        `The label \`${name}\` is not among the model's: ${known}.`,
        near === undefined ? undefined : `Did you mean \`${near}\`?`,
      );
    },
  };
}

function labelError(row: Row, message: string, hint?: string): UserError {
  return new UserError({
    code: "unknown-label",
    message: row.place.line === undefined ? `${rowName(row)}: ${message}` : message,
    place: row.place,
    remedy: `${hint === undefined ? "" : `${hint} `}Mend the row or leave it out; \`data.columns.label\` names the column, \`data.labels\` the labels.`,
  });
}
