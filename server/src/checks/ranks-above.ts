/** @file Where a method's rank is above the smaller dimension of the layers that it acts at. */
import { patternValue, targetSites } from "../../../src/engine/methods/targets.ts";
import type { MethodChoice } from "../../../src/shared/experiment/fields/experiment-fields.ts";
import { valueOf } from "../facts.ts";
import type { CheckContext, FoundWithFixes } from "./check.ts";
import { counted, methodPath, writing } from "./check.ts";
import { fullMatchOf } from "./fullmatch.ts";

/** One finding for each method of which `asks` is true; the largest rank that fits everywhere is the fix. */
export function ranksAbove(
  ctx: CheckContext,
  asks: (choice: MethodChoice) => boolean,
  what: string,
  remedy: (most: number) => string,
): readonly FoundWithFixes[] {
  const view = valueOf(ctx.model);
  if (view === undefined) return [];
  const fullMatch = fullMatchOf(ctx.facts, view);
  return ctx.experiment.method.flatMap((choice, index) => {
    const { r } = choice.config;
    if (typeof r !== "number" || !asks(choice)) return [];
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
        message: `The rank is above ${what} ${counted(over.length, "layer")}, such as \`${first.module}\` (${first.out} × ${first.in}).`,
        remedy: remedy(most),
        fixes: writing(ctx, methodPath(ctx, index, "r"), String(most)),
      },
    ];
  });
}
