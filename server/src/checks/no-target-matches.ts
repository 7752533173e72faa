/** @file Targets that leave nothing to adapt. */
import { targetKinds, targetSites } from "../../../src/engine/methods/targets.ts";
import { enumerate } from "../../../src/shared/experiment/describe.ts";
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { hasTargets, methodPath, writing } from "./check.ts";
import { fullMatchOf } from "./fullmatch.ts";
import { unusableExpressions } from "./regex-unusable.ts";

export const noTargetMatches: FactCheck = {
  code: "no-target-matches",
  severity: "error",
  doc: "A regular expression is matched against a module's whole path, as Python's `re.fullmatch`; one that matches nothing, or an exclusion of everything, leaves nothing to train.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view === undefined || unusableExpressions(ctx).length > 0) return [];
    return ctx.experiment.method.flatMap((choice, index) => {
      const { target_modules: targets } = choice;
      if (!hasTargets(ctx, choice)) return [];
      const { findings } = targetSites(view, choice, fullMatchOf(ctx.facts, view));
      const listed = targets !== null && typeof targets !== "string";
      return findings.flatMap(({ code, message }) => {
        // Names in a list are told one by one, by another check.
        if (code !== "no-target-matches" || (listed && message.includes("names"))) return [];
        const path = methodPath(ctx, index, "target_modules");
        const kinds = targetKinds(view, choice);
        const near = typeof targets === "string" ? nearest(targets, kinds) : undefined;
        return [
          {
            path,
            message:
              typeof targets === "string" && /^\w+$/.test(targets)
                ? `\`${targets}\` is a regular expression here, and matches no module's whole path.`
                : message,
            remedy:
              near === undefined
                ? `The model has ${enumerate(kinds, "and")}.`
                : `A name stands in a list: \`[${near}]\`.`,
            ...(near !== undefined && { fixes: writing(ctx, path, `[${near}]`) }),
          },
        ];
      });
    });
  },
};
