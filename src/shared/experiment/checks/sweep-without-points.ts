/** @file A sweep of a single run. */
import type { Check } from "./check.ts";
import { pointCount } from "./swept-fields.ts";

export const sweepWithoutPoints: Check = {
  code: "sweep-without-points",
  severity: "warning",
  doc: "A sweep with one point and one seed is the experiment itself.",
  find: ({ sweep }) =>
    sweep !== null && pointCount(sweep) < 2 && (sweep.seeds ?? []).length < 2 && sweep.tune === null
      ? [
          {
            path: "sweep",
            message: "The sweep has one run only.",
            remedy: "Add a `grid`, such as `{ method.r: [4, 16] }`, or `seeds`.",
          },
        ]
      : [],
};
