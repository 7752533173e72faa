/** @file A rank above a layer's smaller dimension, where a decomposition of the layer is to fill it. */
import { initialisers, methods, rowNamed } from "../../../src/engine/catalog.ts";
import type { MethodChoice } from "../../../src/shared/experiment/fields/experiment-fields.ts";
import type { FactCheck } from "./check.ts";
import { ranksAbove } from "./ranks-above.ts";

export const rankOfDecomposition: FactCheck = {
  code: "rank-of-decomposition",
  severity: "error",
  doc: "A start from singular vectors, LU or the like of a layer has no more vectors than the layer's smaller dimension.",
  find: (ctx) =>
    ranksAbove(
      ctx,
      decomposes,
      "what a decomposition gives at",
      (most) => `At most ${most} there; rank_pattern sets it for these layers alone.`,
    ),
};

/** Whether the start that the file chooses reads anything but random numbers. */
export function decomposes({ type, config, init }: MethodChoice): boolean {
  const row = rowNamed(methods, type);
  if (row.kind !== "linear") return false;
  const bound = row.bind(config);
  const pair =
    init.type === "default" ? bound.startPair : rowNamed(initialisers, init.type).bind(init.config);
  return [pair, bound.start].some((start) => (start?.needs.length ?? 0) > 0);
}
