/** @file A rank above a layer's smaller dimension. */
import { patternValue, targetSites } from "../../../src/engine/methods/targets.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { counted, hasTargets, methodPath, writing } from "./check.ts";
import { fullMatchOf } from "./fullmatch.ts";
import { decomposes } from "./rank-of-decomposition.ts";

export const rankExceedsDimension: FactCheck = {
  code: "rank-exceeds-dimension",
  severity: "warning",
  doc: "A product of factors has at most the rank of the matrix's smaller dimension; what is above it is paid for and gives nothing.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view === undefined) return [];
    const fullMatch = fullMatchOf(ctx.facts, view);
    return ctx.experiment.method.flatMap((choice, index) => {
      const { r } = choice.config;
      if (typeof r !== "number" || decomposes(choice) || !hasTargets(ctx, choice)) return [];
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
          message: `The rank is above the smaller dimension of ${counted(over.length, "layer")}, such as \`${first.module}\` (${first.out} × ${first.in}).`,
          remedy: `At most ${most} has an effect there.`,
          fixes: writing(ctx, methodPath(ctx, index, "r"), String(most)),
        },
      ];
    });
  },
};
