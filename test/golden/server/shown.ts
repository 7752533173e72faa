/** @file A service's answers as a person reads them: the document with carets under each place. */
import type { Diagnostic } from "../../../server/src/diagnostics.ts";
import { lineAndColumn, source } from "../../../src/shared/experiment/tree.ts";

export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Each mark below its line, carets under its place. */
export function withMarks(text: string, marks: readonly Mark[]): string {
  const from = source("", text);
  const placed = marks.map((mark) => {
    const [line, column] = lineAndColumn(from, mark.start);
    const [endLine, endColumn] = lineAndColumn(from, mark.end);
    return { ...mark, line, column, width: endLine === line ? Math.max(1, endColumn - column) : 0 };
  });
  return text
    .split("\n")
    .flatMap((line, index) => [
      line,
      ...placed
        .filter((mark) => mark.line === index + 1)
        .map(({ column, width, text: said }) => {
          const lead = line.slice(0, column - 1).replaceAll(/[^\t]/g, " ").padEnd(column - 1);
          return `${lead}${"^".repeat(width === 0 ? Math.max(1, line.length - column + 1) : width)} ${said}`;
        }),
    ])
    .join("\n");
}

export function described({ code, severity, message, remedy, fixes }: Diagnostic): string {
  return [
    `${severity} ${code}: ${message}`,
    remedy,
    fixes.length === 0 ? undefined : `(fix: ${fixes.map(({ title }) => title).join(" | ")})`,
  ]
    .filter((part) => part !== undefined)
    .join(" ");
}
