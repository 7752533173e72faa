/** @file A row of a data file and its place. */
import { UserError, type Place } from "../../../shared/errors.ts";
import { nearest } from "../../../shared/experiment/nearest.ts";

export interface Row {
  /** Number of the row in its file, from 0; blank lines do not count. */
  readonly index: number;
  readonly values: Readonly<Record<string, unknown>>;
  /** File and line; a Parquet file has no lines, its rows are named in the message. */
  readonly place: Place;
}

/** How messages speak of a row, where the place alone does not tell. */
export function rowName(row: Row): string {
  return row.place.line === undefined ? `Row ${row.index + 1}` : "The row";
}

/** The value of a column; a row without it is refused with the columns there are. */
export function columnValue(row: Row, column: string): unknown {
  if (Object.hasOwn(row.values, column)) return row.values[column];
  const names = Object.keys(row.values);
  const near = nearest(column, names);
  throw (
    unsplitRow(row) ??
    new UserError({
      code: "missing-column",
      message: `${rowName(row)} has no column \`${column}\`; it has ${listedColumns(row)}.`,
      place: row.place,
      remedy: `Say in \`data.columns\` which column is meant${near === undefined ? "" : ` (\`${near}\`?)`}.`,
    })
  );
}

/** What other dialects of CSV put between fields. */
const delimiters = [
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "vertical bars"],
] as const;

/** The refusal of a table whose header is one column, in whose name stands what parts the fields elsewhere. */
export function unsplitRow(row: Row): UserError | undefined {
  const [only = "", ...others] = Object.keys(row.values);
  const [sign, name] = delimiters.find(([delimiter]) => only.includes(delimiter)) ?? [];
  if (others.length > 0 || sign === undefined) return undefined;
  return new UserError({
    code: "missing-column",
    message: `${rowName(row)} has one column, \`${only.replaceAll("\t", "\\t")}\`: the file's columns seem to stand apart by ${name}, not by commas.`,
    place: row.place,
    remedy: `Write the file with commas; with pandas: \`read_csv(OLD, sep=${JSON.stringify(sign)}).to_csv(NEW, index=False)\`.`,
  });
}

/** The text of a column; numbers are written out, a null is refused. */
export function columnText(row: Row, column: string): string {
  const value = columnValue(row, column);
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean")
    return String(value);
  throw new UserError({
    code: "wrong-column-type",
    message: `Column \`${column}\` holds ${kindOf(value)}, not text.`,
    place: row.place,
    remedy: "Take the row out, or name another column in `data.columns`.",
  });
}

/** A value's kind in words. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `the ${typeof value} ${JSON.stringify(value)}`;
}

/** The names of a row's columns, of very many the first. */
export function listedColumns({ values }: Row): string {
  const names = Object.keys(values);
  if (names.length === 0) return "none";
  const shown = names.slice(0, 20).map((name) => `\`${name}\``);
  return shown.join(", ") + (names.length > 20 ? ` and ${names.length - 20} more` : "");
}
