/** @file Something to be looked at during a run, which a run does not look at yet. */
import type { Check } from "./check.ts";
import { removed } from "./edits-at.ts";

export const analyzeNotRun: Check = {
  code: "analyze-not-run",
  severity: "warning",
  doc: "A run of this version trains and measures; it does not look at spectra or intruder dimensions on the way.",
  find: ({ analyze: { spectra, intruders } }, { document }) =>
    spectra === null && intruders === null
      ? []
      : [
          {
            path: "analyze",
            message: "Nothing of `analyze` is looked at during a run in this version.",
            remedy: "The run is the same with it and without it.",
            ...removed(document, ["analyze"]),
          },
        ],
};
