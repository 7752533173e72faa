/** @file Choices that the engine's table of incompatible pairs refuses: a check for each of its rows. */
import { excludedCodes, excludedPairs } from "../../../src/engine/catalog-pairs.ts";
import type { FactCheck } from "./check.ts";

export const pairChecks: readonly FactCheck[] = excludedCodes.map(({ code, doc }) => ({
  code,
  severity: "error",
  doc,
  find: ({ experiment }) =>
    excludedPairs(experiment).flatMap(({ code: found, field, message, remedy }) =>
      found === code ? [{ path: field, message, ...(remedy !== undefined && { remedy }) }] : [],
    ),
}));
