/** @file Packing where each row gets one label. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const packingWithLabels: Check = {
  code: "packing-with-labels",
  severity: "error",
  doc: "Packing joins several examples into one row, and a classifier gives one label to a row.",
  find: ({ task, data: { packing } }, { document }) =>
    packing && task === "sequence-classification"
      ? [
          {
            path: "data.packing",
            message:
              "Packing joins examples into one row, and a classifier gives one label to a row.",
            remedy: "Remove `packing`.",
            ...removed(document, ["data", "packing"]),
          },
        ]
      : [],
};
