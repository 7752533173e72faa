/** @file A rank above a layer's smaller dimension, where a decomposition of the layer is to fill it. */
import { initialisers, methods, rowNamed } from "../../../src/engine/catalog.ts";
import { patternValue, targetSites } from "../../../src/engine/methods/targets.ts";
import type { MethodChoice } from "../../../src/shared/experiment/fields/experiment-fields.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { counted, methodPath, writing } from "./check.ts";
import { fullMatchOf } from "./fullmatch.ts";

export const rankOfDecomposition: FactCheck = {
  code: "rank-of-decomposition",
  severity: "error",
  doc: "A start from singular vectors, LU or the like of a layer has no more vectors than the layer's smaller dimension.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view === undefined) return [];
    const fullMatch = fullMatchOf(ctx.facts, view);
    return ctx.experiment.method.flatMap((choice, index) => {
      const { r } = choice.config;
      if (typeof r !== "number" || !decomposes(choice)) return [];
      const over = targetSites(view, choice, fullMatch).sites.filter((site) => {
        const own = patternValue(choice.rank_pattern, site.module, fullMatch) ?? r;
        return own > Math.min(site.in, site.out);
      });
      const [first] = over;
      if (first === undefined) return [];
      const most = Math.min(...over.map((site) => Math.min(site.in, site.out)));
      return [
        {
          path: methodPath(ctx, index, "r"),
          message: `The rank is above what a decomposition gives at ${counted(over.length, "layer")}, such as \`${first.module}\` (${first.out} × ${first.in}).`,
          remedy: `At most ${most} there; rank_pattern sets it for these layers alone.`,
          fixes: writing(ctx, methodPath(ctx, index, "r"), String(most)),
        },
      ];
    });
  },
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
