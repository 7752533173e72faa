/** @file Rows of a plain text file: each line is the text of one. */
import { readLines } from "./lines.ts";
import type { Row } from "./row.ts";

/**
 * Yields a row `{ text }` for each line, as Hugging Face's `load_dataset("text")` does, except that blank
 * lines, which have nothing to learn from, are passed over.
 */
export async function* readTextRows(file: string): AsyncGenerator<Row> {
  let index = 0;
  for await (const { number, text } of readLines(file)) {
    if (text.trim() === "") continue;
    yield { index, values: { text }, place: { file, line: number } };
    index += 1;
  }
}
