/** @file Two fields that both say how a prompt is written. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const twoTemplates: Check = {
  code: "two-templates",
  severity: "error",
  doc: "`template` and `chat_template` both write the prompt; only one of them can.",
  find: ({ data: { template, chat_template: chat } }, { document }) =>
    template !== null && chat !== null
      ? [
          {
            path: "data.template",
            message: "`template` and `chat_template` both say how a prompt is written.",
            remedy: "Keep one of them.",
            ...removed(document, ["data", "template"]),
          },
        ]
      : [],
};
