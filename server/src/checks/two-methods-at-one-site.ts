/** @file Two methods that act on the same layer. */
import { targetSites } from "../../../src/engine/methods/targets.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { counted, hasTargets, methodPath } from "./check.ts";
import { fullMatchOf } from "./fullmatch.ts";

export const twoMethodsAtOneSite: FactCheck = {
  code: "two-methods-at-one-site",
  severity: "error",
  doc: "Where `method` is a list, each entry has its own targets; a layer can be adapted by one of them only.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view === undefined || ctx.experiment.method.length < 2) return [];
    const taken = new Set<string>();
    return ctx.experiment.method.flatMap((choice, index) => {
      if (!hasTargets(ctx, choice)) return [];
      const { sites } = targetSites(view, choice, fullMatchOf(ctx.facts, view));
      const twice = sites.filter(({ module }) => taken.has(module));
      for (const { module } of sites) taken.add(module);
      const [first] = twice;
      if (first === undefined) return [];
      return [
        {
          path: methodPath(ctx, index, "target_modules"),
          message: `${counted(twice.length, "layer")} ${twice.length === 1 ? "is" : "are"} adapted by an entry before, such as \`${first.module}\`.`,
          remedy: "Give the entries target_modules that do not overlap.",
        },
      ];
    });
  },
};
