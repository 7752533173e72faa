/** @file A comparison of points that each ran once. */
import type { Check } from "./check.ts";
import { pointCount } from "./swept-fields.ts";

export const sweepOneSeed: Check = {
  code: "sweep-one-seed",
  severity: "warning",
  doc: "Two runs that differ in their seed alone give different scores. With one seed for each point nobody can tell a difference from luck, and no interval can be given.",
  find({ sweep }) {
    if (sweep === null || pointCount(sweep) < 2 || (sweep.seeds ?? []).length > 1) return [];
    return [
      {
        path: sweep.seeds === null ? "sweep" : "sweep.seeds",
        message: "Each point runs with one seed: a report would call luck a difference.",
        remedy: "Give `seeds: [0, 1, 2]` or more.",
      },
    ];
  },
};
