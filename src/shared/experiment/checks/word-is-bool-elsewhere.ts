/** @file `no` and `yes`, which YAML 1.1 readers take for false and true. */
import { replace } from "../edits.ts";
import type { Check } from "./check.ts";
import { scalarsOf } from "./scalars-of.ts";

export const wordIsBoolElsewhere: Check = {
  code: "word-is-bool-elsewhere",
  severity: "info",
  doc: "PyYAML reads `yes`, `no`, `on` and `off` without quotes as true and false: labels of that name change.",
  find: (_, { document }) =>
    scalarsOf(document).flatMap(({ path, node }) => {
      if (node.kind !== "text" || node.quoted || node.written.length > 3) return [];
      if (!/^(?:yes|no|on|off)$/i.test(node.written)) return [];
      const text = JSON.stringify(node.value);
      return [
        {
          path,
          message: `PyYAML reads \`${node.written}\` as ${/^(?:yes|on)$/i.test(node.written) ? "true" : "false"}.`,
          remedy: `Write \`${text}\`.`,
          fix: { title: `Write \`${text}\``, edits: [replace(node.at, text)] },
        },
      ];
    }),
};
