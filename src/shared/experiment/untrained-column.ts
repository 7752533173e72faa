/** @file A column that data of plain text have beside it, and that looks as if somebody meant to train on it. */
import type { Finding } from "../findings.ts";

/** Names that data sets of the field give to what is predicted; others beside text are mostly notes. */
const names = {
  label: ["label", "labels", "class"],
  completion: ["completion", "response", "answer", "output"],
} as const;

/** What is said of the column, where rows of these columns train as the text in `text`. */
export function untrainedColumn(
  columns: readonly string[],
  text: string,
): Pick<Finding, "message" | "remedy"> | undefined {
  const called = (wanted: readonly string[]): string | undefined =>
    columns.find((column) => column !== text && wanted.includes(column.toLowerCase()));
  const label = called(names.label);
  const completion = called(names.completion);
  const column = label ?? completion;
  if (column === undefined) return undefined;
  const meant =
    label === undefined
      ? `To train on it after a prompt, say which column is which: \`columns: { prompt: ${text}, completion: ${column} }\` in \`data\``
      : `To predict it, say \`task: sequence-classification\`, with a bert or roberta model${label === "label" ? "" : ` and \`columns: { label: ${label} }\` in \`data\``}`;
  return {
    message: `The column \`${column}\` is not used: the rows train as plain text, every token of \`${text}\`.`,
    remedy: `${meant}. If plain text is meant, say \`format: text\` in \`data\`.`,
  };
}
