/** @file Columns, rows and few-valued columns of a data file; of a large one, told from its beginning. */
import { stat } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import { readRows } from "../../engine/data/rows/read-rows.ts";
import { UserError } from "../../shared/errors.ts";
import type { DataFacts } from "../../../server/src/facts.ts";

const mostRows = 50_000;
const mostCharacters = 16e6;
/** A column with more distinct values than these is no list of labels. */
const mostValues = 50;
const longestValue = 64;
/** Rows between two looks at what else is to be done. */
const stretch = 500;

export async function loadDataFacts(file: string): Promise<DataFacts> {
  const { size } = await stat(file);
  const columns = new Set<string>();
  const values = new Map<string, Set<string> | undefined>();
  let rows = 0;
  let characters = 0;
  let exact = true;
  for await (const row of readRows(file)) {
    if (rows >= mostRows || characters >= mostCharacters) {
      exact = false;
      break;
    }
    rows += 1;
    for (const [column, value] of Object.entries(row.values)) {
      columns.add(column);
      characters += column.length + 8 + note(values, column, value);
    }
    if (rows % stretch === 0) await setImmediate();
  }
  if (rows === 0)
    throw new UserError({
      code: "empty-data",
      message: `${file} has no rows.`,
      place: { file },
      remedy: "Put at least one example into it.",
    });
  const listed = [...values].flatMap(([column, set]) =>
    set === undefined ? [] : [[column, [...set].toSorted()] as const],
  );
  return {
    columns: [...columns],
    rows: exact ? rows : Math.max(rows, Math.round((rows * size) / Math.max(1, characters))),
    exact,
    values: new Map(listed),
  };
}

/** Remembers a short value; the characters that it has. */
function note(
  values: Map<string, Set<string> | undefined>,
  column: string,
  value: unknown,
): number {
  const text =
    typeof value === "string"
      ? value
      : typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
        ? String(value)
        : undefined;
  const known = values.has(column) ? values.get(column) : new Set<string>();
  if (known !== undefined && text !== undefined && text.length <= longestValue) known.add(text);
  const isList = known !== undefined && text !== undefined && text.length <= longestValue;
  values.set(column, isList && known.size <= mostValues ? known : undefined);
  // Of what is no text, about as much as it takes to write it.
  return text?.length ?? 16;
}
