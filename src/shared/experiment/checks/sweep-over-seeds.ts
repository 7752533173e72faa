/** @file A seed among the fields of a sweep. */
import type { Check } from "./check.ts";
import { sweptFields } from "./swept-fields.ts";

export const sweepOverSeeds: Check = {
  code: "sweep-over-seeds",
  severity: "warning",
  doc: "Points that differ in the seed are compared as if they were different experiments; `seeds` makes one point of them, with a mean and an interval.",
  find: ({ sweep }) =>
    sweep === null
      ? []
      : sweptFields(sweep)
          .filter(({ field }) => field === "train.seed")
          .map(({ path }) => ({
            path,
            message: "The seed is swept as a field: its runs would be points of their own.",
            remedy: "Use `sweep.seeds`.",
          })),
};
