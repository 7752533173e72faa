/** @file A template with a brace that opens or closes nothing, or that no column is put into. */
import type { Check } from "./check.ts";

export const templateMalformed: Check = {
  code: "template-malformed",
  severity: "error",
  doc: "In a template `{column}` stands for a column's text, and `{{` and `}}` for braces; a template without a column is the same for every example.",
  find({ data: { template, chat_template: chat } }) {
    const rest = (template ?? "").replaceAll(/\{\{|\}\}|\{[^{}]+\}/g, "");
    if (/[{}]/.test(rest))
      return [
        {
          path: "data.template",
          message: "The template has a brace that opens or closes nothing.",
          remedy: "Write {column} for a column, and {{ or }} for a brace.",
        },
      ];
    if (template !== null && rest === template)
      return [
        {
          path: "data.template",
          message: "The template names no column: every example would have the same prompt.",
          remedy: "Write {prompt} where the column is to stand.",
        },
      ];
    return chat !== null && chat !== "tokenizer" && !chat.includes("{")
      ? [
          {
            path: "data.chat_template",
            message: "The chat template is no Jinja template: it has no place for the messages.",
            remedy: "Write `tokenizer` for the tokenizer's own.",
          },
        ]
      : [];
  },
};
