/** @file What the engine's own setup of a run refuses, which the numbers beside the lines are counted from. */
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import { parametersOf } from "../estimate.ts";
import { valueOf } from "../facts.ts";
import type { CheckContext, FoundWithFixes } from "./check.ts";
import { methodPath } from "./check.ts";

/** Findings with this code, at the field of the method that says it; in the words that the run would use. */
export function refusedBySetup(
  ctx: CheckContext,
  code: string,
  field: string,
): readonly FoundWithFixes[] {
  const refused = valueOf(parametersOf(ctx))?.refused.filter((finding) => finding.code === code);
  if (refused === undefined || refused.length === 0) return [];
  const paths = ctx.experiment.method.map((_, index) => methodPath(ctx, index, field));
  const path = paths.find((each) => nodeAt(ctx.document, each) !== undefined) ?? ["method"];
  return refused
    .slice(0, 1)
    .map(({ message, remedy }) => ({ path, message, ...(remedy !== undefined && { remedy }) }));
}
