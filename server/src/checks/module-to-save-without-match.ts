/** @file A module to train whole that the model does not have. */
import { nearest } from "../../../src/shared/experiment/nearest.ts";
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { methodPath, writing } from "./check.ts";

export const moduleToSaveWithoutMatch: FactCheck = {
  code: "module-to-save-without-match",
  severity: "error",
  doc: "`modules_to_save` names modules of the model, such as its head; one that does not exist cannot be trained.",
  find(ctx) {
    const view = valueOf(ctx.model);
    if (view === undefined) return [];
    const ofModel = view.model?.blocks.flatMap(({ tensors }) =>
      tensors.map(({ source }) => source.slice(0, source.lastIndexOf("."))),
    );
    const modules = [...new Set([...(ofModel ?? []), ...view.modules])];
    // A tied head has no tensor of its own, and is a module nevertheless.
    const linears = view.blocks.flatMap((block) => block.linears.map(({ module }) => module));
    const known = [...modules, ...linears];
    return ctx.experiment.method.flatMap(({ modules_to_save: saved }, index) =>
      saved.flatMap((name, item) => {
        if (known.some((module) => `.${module}.`.includes(`.${name}.`))) return [];
        const parts = [...new Set(known.flatMap((module) => module.split(".")))];
        const near = nearest(
          name,
          parts.filter((part) => !/^\d+$/.test(part)),
        );
        const path = methodPath(ctx, index, "modules_to_save", String(item));
        return [
          {
            path,
            message: `The model has no module \`${name}\`${near === undefined ? "." : `; did you mean \`${near}\`?`}`,
            ...(near !== undefined && { fixes: writing(ctx, path, near) }),
          },
        ];
      }),
    );
  },
};
