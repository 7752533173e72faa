/** @file Test data that choose a checkpoint, an end or a value. */
import { enumerate } from "../describe.ts";
import type { Check } from "./check.ts";
import { decidingMetrics, measuredNames } from "./deciding-metrics.ts";
import { fixedValue } from "./edits-at.ts";

export const chosenByTestData: Check = {
  code: "chosen-by-test-data",
  severity: "error",
  doc: "What is chosen by test data is fitted to them, and their score says nothing about new examples any more.",
  find: (experiment, said) =>
    decidingMetrics(experiment, said).flatMap(([path, metric]) => {
      if (!metric.startsWith("test.")) return [];
      const known = measuredNames(experiment);
      const own = `eval.${metric.slice("test.".length)}`;
      return [
        {
          path,
          message: `\`${metric}\` is measured once, at the end; test data choose nothing.`,
          remedy: `Use a metric of \`data.eval\`: ${enumerate(known, "or")}.`,
          ...(known.includes(own) && fixedValue(said.document, path.split("."), own)),
        },
      ];
    }),
};
