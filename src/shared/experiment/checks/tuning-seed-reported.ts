/** @file A seed that both tunes and reports. */
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const tuningSeedReported: Check = {
  code: "tuning-seed-reported",
  severity: "error",
  doc: "A value chosen on a seed fits that seed's luck; the results must come from other seeds.",
  find({ sweep }, { document }) {
    const seed = sweep?.tune?.select.seed;
    const seeds = sweep?.seeds ?? [];
    if (seed === undefined || !seeds.includes(seed)) return [];
    const free = String(Math.max(...seeds, 99) + 1);
    return [
      {
        path: "sweep.tune.select.seed",
        message: `Seed ${seed} both tunes and reports; a result would be chosen by its own luck.`,
        remedy: "Use a seed that is not one of `seeds`.",
        ...fixedValue(document, ["sweep", "tune", "select", "seed"], free),
      },
    ];
  },
};
