/** @file `2e-4`, which YAML 1.1 readers take for a text. */
import { numberText } from "../describe.ts";
import { replace } from "../edits.ts";
import type { Check } from "./check.ts";
import { scalarsOf } from "./scalars-of.ts";

/** YAML 1.1 wants a point in the mantissa and a sign in the exponent. */
const elsewhereNumber = /^[-+]?\d[\d_]*\.[\d_]*(?:[eE][-+]\d+)?$/;

export const numberIsTextElsewhere: Check = {
  code: "number-is-text-elsewhere",
  severity: "info",
  doc: "PyYAML, and with it peft, TRL and axolotl, read `2e-4` as a text; `2.0e-4` is a number everywhere.",
  find: (_, { document }) =>
    scalarsOf(document).flatMap(({ path, node }) => {
      if (node.kind !== "number" || !/[eE]/.test(node.written)) return [];
      if (elsewhereNumber.test(node.written) || node.at.start === node.at.end) return [];
      const text = numberText(node.value);
      return [
        {
          path,
          message: `PyYAML reads \`${node.written}\` as a text.`,
          remedy: `Write \`${text}\`.`,
          fix: { title: `Write \`${text}\``, edits: [replace(node.at, text)] },
        },
      ];
    }),
};
