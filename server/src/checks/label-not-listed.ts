/** @file A label of the data that the list lacks. */
import { enumerate } from "../../../src/shared/experiment/describe.ts";
import type { FactCheck } from "./check.ts";
import { writing } from "./check.ts";
import { labelsOfData } from "./labels-of-data.ts";

export const labelNotListed: FactCheck = {
  code: "label-not-listed",
  severity: "error",
  doc: "Where `data.labels` is given, an example with any other label is refused.",
  find(ctx) {
    const known = labelsOfData(ctx);
    const { labels } = ctx.experiment.data;
    if (known === undefined || labels === null) return [];
    const missing = known.filter((label) => !labels.includes(label));
    if (missing.length === 0) return [];
    const text = `[${[...labels, ...missing].map((label) => (/^[A-Za-z][\w-]*$/.test(label) ? label : JSON.stringify(label))).join(", ")}]`;
    return [
      {
        path: "data.labels",
        message: `The training data have ${missing.length === 1 ? "a label that is" : "labels that are"} not listed: ${enumerate(missing, "and")}.`,
        remedy: "Add them, or take the rows out.",
        fixes: writing(ctx, ["data", "labels"], text),
      },
    ];
  },
};
