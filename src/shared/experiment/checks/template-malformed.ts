/** @file A template with a brace that opens or closes nothing. */
import type { Check } from "./check.ts";

export const templateMalformed: Check = {
  code: "template-malformed",
  severity: "error",
  doc: "In a template `{column}` stands for a column's text, and `{{` and `}}` for braces.",
  find({ data: { template } }) {
    const rest = (template ?? "").replaceAll(/\{\{|\}\}|\{[^{}]+\}/g, "");
    return /[{}]/.test(rest)
      ? [
          {
            path: "data.template",
            message: "The template has a brace that opens or closes nothing.",
            remedy: "Write {column} for a column, and {{ or }} for a brace.",
          },
        ]
      : [];
  },
};
