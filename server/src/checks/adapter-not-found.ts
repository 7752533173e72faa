/** @file A start from an adapter that is not there. */
import type { FactCheck } from "./check.ts";
import { methodPath } from "./check.ts";

export const adapterNotFound: FactCheck = {
  code: "adapter-not-found",
  severity: "error",
  doc: "`method.from` is a folder with adapter_config.json and adapter_model.safetensors, as peft writes it.",
  find: (ctx) =>
    ctx.experiment.method.flatMap(({ from }, index) => {
      if (from === null) return [];
      const config = ctx.facts.adapterConfig(ctx.resolve(from));
      if (config.state !== "absent") return [];
      return [
        {
          path: methodPath(ctx, index, "from"),
          message: config.why.message,
          remedy: config.why.remedy ?? "Name the folder that holds adapter_config.json.",
        },
      ];
    }),
};
