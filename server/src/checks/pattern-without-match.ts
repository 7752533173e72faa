/** @file A rank or alpha of its own for modules that do not exist. */
import { idleKeys, targetSites } from "../../../src/engine/methods/targets.ts";
import { entryOf, nodeAt } from "../../../src/shared/experiment/tree.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { methodPath } from "./check.ts";
import { fullMatchOf } from "./fullmatch.ts";

export const patternWithoutMatch: FactCheck = {
  code: "pattern-without-match",
  severity: "warning",
  doc: "A key of `rank_pattern` or `alpha_pattern` that matches no adapted module changes nothing.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view === undefined) return [];
    const fullMatch = fullMatchOf(ctx.facts, view);
    return ctx.experiment.method.flatMap((choice, index) => {
      if (Object.keys({ ...choice.rank_pattern, ...choice.alpha_pattern }).length === 0) return [];
      const { sites } = targetSites(view, choice, fullMatch);
      const patterns = { rank_pattern: choice.rank_pattern, alpha_pattern: choice.alpha_pattern };
      if (sites.length === 0) return [];
      return Object.entries(patterns).flatMap(([field, pattern]) =>
        idleKeys(pattern, sites, view, choice, fullMatch).flatMap(({ key, near }) => {
          const path = methodPath(ctx, index, field);
          const at = entryOf(nodeAt(ctx.document, path), key)?.keyAt;
          return [
            {
              path: [...path, key],
              message: `\`${key}\` matches no adapted module${near === undefined ? "." : `; did you mean \`${near}\`?`}`,
              ...(near !== undefined &&
                at !== undefined && {
                  fixes: [
                    {
                      title: `Write \`${near}\``,
                      edits: [{ file: at.source.file, start: at.start, end: at.end, text: near }],
                    },
                  ],
                }),
            },
          ];
        }),
      );
    });
  },
};
