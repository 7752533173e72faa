/** @file Rows of a JSON Lines file: one object on each line. */
import { UserError, messageOf } from "../../../shared/errors.ts";
import { isRecord } from "../../../shared/wire.ts";
import { readLines } from "./lines.ts";
import { kindOf, type Row } from "./row.ts";

/** Yields the rows; blank lines are passed over. */
export async function* readJsonRows(file: string): AsyncGenerator<Row> {
  let index = 0;
  for await (const { number, text } of readLines(file)) {
    if (text.trim() === "") continue;
    yield { index, values: parseRow(text, file, number), place: { file, line: number } };
    index += 1;
  }
}

function parseRow(text: string, file: string, line: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const { message, column } = complaint(cause);
    throw new UserError({
      code: "malformed-data",
      message: `The line is no JSON: ${message}.`,
      place: { file, line, ...(column === undefined ? {} : { column }) },
      remedy: text.trimStart().startsWith("[")
        ? "The file looks like one JSON list: write its elements as one object on each line."
        : "Write one JSON object on each line.",
      cause,
    });
  }
  if (isRecord(value)) return value;
  throw new UserError({
    code: "malformed-data",
    message: `The line holds ${kindOf(value)}, not an object.`,
    place: { file, line },
    remedy: 'Write one JSON object on each line, such as {"text": "…"}.',
  });
}

/** What the parser says, without its own count of lines, and the column that it means. */
function complaint(cause: unknown): { readonly message: string; readonly column?: number } {
  const said = messageOf(cause);
  const position = / (?:in JSON )?at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(said);
  return position === null
    ? { message: said }
    : { message: said.slice(0, position.index), column: Number(position[1]) + 1 };
}
