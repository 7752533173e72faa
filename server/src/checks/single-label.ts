/** @file Classification data with one label only. */
import type { FactCheck } from "./check.ts";
import { labelsOfData } from "./labels-of-data.ts";

export const singleLabel: FactCheck = {
  code: "single-label",
  severity: "warning",
  doc: "Where every example has the same label there is nothing to tell apart.",
  find(ctx) {
    const known = labelsOfData(ctx);
    if (known?.length !== 1) return [];
    return [
      {
        path: "data.columns.label",
        message: `Every training example has the label \`${known[0] ?? ""}\`.`,
        remedy: "Check `data.columns.label`.",
      },
    ];
  },
};
