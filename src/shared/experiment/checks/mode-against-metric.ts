/** @file A loss that is to rise, or a score that is to fall. */
import { modeOf } from "../fill.ts";
import type { Check } from "./check.ts";
import { fixedValue } from "./edits-at.ts";

export const modeAgainstMetric: Check = {
  code: "mode-against-metric",
  severity: "warning",
  doc: "The metric itself tells which way is better; the other way keeps the worst checkpoint.",
  find({ eval: { best, early_stop: stop }, sweep }, { document }) {
    const choices = [
      ["eval.best", best],
      ["eval.early_stop", stop],
      ["sweep.tune.select", sweep?.tune?.select],
    ] as const;
    return choices.flatMap(([path, choice]) => {
      if (choice == null || choice.mode === null || choice.mode === modeOf(choice.metric))
        return [];
      return [
        {
          path: `${path}.mode`,
          message: `\`${choice.metric}\` is better the ${choice.mode === "max" ? "lower" : "higher"} it is; \`mode: ${choice.mode}\` keeps the worst.`,
          remedy: `Write \`${modeOf(choice.metric)}\`, or leave it out.`,
          ...fixedValue(document, [...path.split("."), "mode"], modeOf(choice.metric)),
        },
      ];
    });
  },
};
