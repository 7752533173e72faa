/** @file A listed label that no example has. */
import { enumerate } from "../../../src/shared/experiment/describe.ts";
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import type { FactCheck } from "./check.ts";
import { writing } from "./check.ts";
import { labelsOfData } from "./labels-of-data.ts";

export const labelNotInData: FactCheck = {
  code: "label-not-in-data",
  severity: "warning",
  doc: "A label that no training example has cannot be learned; most often it is misspelt.",
  find(ctx) {
    const known = labelsOfData(ctx);
    if (known === undefined) return [];
    const listed = ctx.experiment.data.labels ?? [];
    return listed.flatMap((label, index) => {
      if (known.includes(label)) return [];
      const near = nearest(
        label,
        known.filter((each) => !listed.includes(each)),
      );
      const path = ["data", "labels", String(index)];
      return [
        {
          path,
          message: `No training example has the label \`${label}\`${near === undefined ? "." : `; did you mean \`${near}\`?`}`,
          remedy: `The data have ${enumerate(known, "and")}.`,
          ...(near !== undefined && { fixes: writing(ctx, path, near) }),
        },
      ];
    });
  },
};
