/** @file An excluded module that is none. */
import { idleExclusions } from "../../../src/engine/methods/targets.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { methodPath, writing } from "./check.ts";

export const exclusionWithoutMatch: FactCheck = {
  code: "exclusion-without-match",
  severity: "warning",
  doc: "A name in `exclude_modules` that matches nothing excludes nothing: what was meant is adapted after all.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view === undefined) return [];
    return ctx.experiment.method.flatMap((choice, index) => {
      return idleExclusions(view, choice).map(({ name, index: item, near }) => {
        const path = methodPath(ctx, index, "exclude_modules", String(item));
        return {
          path,
          message: `\`${name}\` matches nothing, so that nothing is excluded${near === undefined ? "." : `; did you mean \`${near}\`?`}`,
          ...(near !== undefined && { fixes: writing(ctx, path, near) }),
        };
      });
    });
  },
};
