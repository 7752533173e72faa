/** @file A template that no example is put into. */
import type { Check } from "./check.ts";

export const templateUnused: Check = {
  code: "template-unused",
  severity: "warning",
  doc: "Plain text and messages are not put into a `template`; it would have no effect.",
  find: ({ data: { template, format } }) =>
    template !== null && (format === "messages" || format === "text")
      ? [
          {
            path: "data.template",
            message: `\`${format}\` examples are not put into a template.`,
            remedy:
              format === "messages" ? "Use `chat_template`." : "Use `format: prompt-completion`.",
          },
        ]
      : [],
};
