/** @file One of several targets that matches no layer. */
import { targetKinds, unmatchedNames } from "../../../src/engine/methods/targets.ts";
import { enumerate } from "../../../src/shared/experiment/describe.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { methodPath, writing } from "./check.ts";

export const targetWithoutMatch: FactCheck = {
  code: "target-without-match",
  severity: "error",
  doc: "A name in `target_modules` that matches nothing is a layer that would silently not be adapted, also where the other names match.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view === undefined) return [];
    return ctx.experiment.method.flatMap((choice, index) => {
      const { target_modules: targets } = choice;
      if (targets === null || typeof targets === "string") return [];
      return unmatchedNames(targets, view, choice).map(({ name, index: item, near }) => {
        const path = methodPath(ctx, index, "target_modules", String(item));
        return {
          path,
          message: `\`${name}\` matches nothing${near === undefined ? "." : `; did you mean \`${near}\`?`}`,
          remedy: `The model has ${enumerate(targetKinds(view, choice), "and")}.`,
          ...(near !== undefined && { fixes: writing(ctx, path, near) }),
        };
      });
    });
  },
};
