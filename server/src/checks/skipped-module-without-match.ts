/** @file A module that is to stay unquantized and does not exist. */
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import { nodeAt } from "../../../src/shared/experiment/tree.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { writing } from "./check.ts";

export const skippedModuleWithoutMatch: FactCheck = {
  code: "skipped-module-without-match",
  severity: "warning",
  doc: "A name in `quantization.skip_modules` that matches nothing keeps nothing in its precision.",
  find(ctx) {
    const view = valueOf(ctx.model);
    const skipped = ctx.experiment.quantization?.skip_modules ?? [];
    if (view === undefined || nodeAt(ctx.document, ["quantization", "skip_modules"]) === undefined)
      return [];
    const modules = [
      ...view.modules,
      ...view.blocks.flatMap(({ linears }) => linears.map(({ module }) => module)),
    ];
    return skipped.flatMap((name, index) => {
      if (modules.some((module) => `.${module}.`.includes(`.${name}.`))) return [];
      const parts = [...new Set(modules.flatMap((module) => module.split(".")))];
      const near = nearest(name, parts);
      const path = ["quantization", "skip_modules", String(index)];
      return [
        {
          path,
          message: `\`${name}\` matches nothing${near === undefined ? "." : `; did you mean \`${near}\`?`}`,
          ...(near !== undefined && { fixes: writing(ctx, path, near) }),
        },
      ];
    });
  },
};
