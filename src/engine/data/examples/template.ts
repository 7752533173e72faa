/** @file Templates such as `Question: {prompt}`: text with columns in braces. */
import { UserError, type Place } from "../../../shared/errors.ts";
import { columnText, type Row } from "../rows/row.ts";

/** Fills a row into the template. */
export type Template = (row: Row) => string;

/**
 * Reads a template. `{name}` is the column that plays the role `name`, or the column of that name itself;
 * `{{` and `}}` are braces.
 */
export function readTemplate(
  template: string,
  columns: Readonly<Record<string, string | null>>,
  place: Place,
): Template {
  const parts: (string | { readonly column: string })[] = [];
  for (const [token] of template.matchAll(/\{\{|\}\}|\{[^{}]*\}|[{}]|[^{}]+/g)) {
    if (token === "{{" || token === "}}") parts.push(token.slice(0, 1));
    else if (token.length > 2 && token.startsWith("{")) {
      const name = token.slice(1, -1).trim();
      parts.push({ column: (Object.hasOwn(columns, name) ? columns[name] : null) ?? name });
    } else if (token === "{" || token === "}" || token === "{}")
      throw new UserError({
        code: "malformed-template",
        message: `The template has a brace that opens or closes nothing: \`${template}\`.`,
        place,
        remedy: "Write {column} for a column, and {{ or }} for a brace.",
      });
    else parts.push(token);
  }
  return (row) =>
    parts.map((part) => (typeof part === "string" ? part : columnText(row, part.column))).join("");
}
