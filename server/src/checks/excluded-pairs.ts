/** @file Choices that the engine's table of incompatible pairs refuses: a check for each of its rows. */
import { excludedCodes, excludedPairs } from "../../../src/engine/catalog-pairs.ts";
import { removed } from "../../../src/shared/experiment/checks/edits-at.ts";
import type { FactCheck } from "./check.ts";

export const pairChecks: readonly FactCheck[] = excludedCodes.map(({ code, doc }) => ({
  code,
  severity: "error",
  doc,
  find: ({ experiment, document }) =>
    excludedPairs(experiment)
      .filter((pair) => pair.code === code)
      .map(({ field, message, remedy, removes }) => {
        const fix = removes === undefined ? undefined : removed(document, removes.split("."))?.fix;
        return {
          ...{ path: field, message, fixes: fix ? [fix] : [] },
          ...(remedy === undefined ? {} : { remedy }),
        };
      }),
}));
