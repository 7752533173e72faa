/** @file A label that is listed twice. */
import { nodeAt } from "../tree.ts";
import type { Check } from "./check.ts";

export const labelsRepeated: Check = {
  code: "labels-repeated",
  severity: "error",
  doc: "A label's place in the list is its id; it can have one only.",
  find({ data: { labels } }, { document }) {
    if (labels === null || new Set(labels).size === labels.length) return [];
    if (nodeAt(document, ["data", "labels"])?.kind !== "list") return [];
    return labels.flatMap((label, index) =>
      labels.indexOf(label) === index
        ? []
        : [
            {
              path: ["data", "labels", String(index)],
              message: `The label \`${label}\` is listed twice.`,
              remedy: "Remove one of them.",
            },
          ],
    );
  },
};
