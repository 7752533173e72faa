/** @file A start from an adapter of another rank. */
import { valueOf } from "../facts.ts";
import type { FactCheck } from "./check.ts";
import { methodPath, writing } from "./check.ts";

export const adapterOfOtherRank: FactCheck = {
  code: "adapter-of-other-rank",
  severity: "error",
  doc: "An adapter's factors have their own rank; a run that goes on from them has the same.",
  find: (ctx) =>
    ctx.experiment.method.flatMap(({ from, config }, index) => {
      const stored =
        from === null ? undefined : valueOf(ctx.facts.adapterConfig(ctx.resolve(from)));
      const rank =
        typeof stored === "object" && stored !== null && "r" in stored ? stored.r : undefined;
      if (typeof rank !== "number" || typeof config["r"] !== "number" || rank === config["r"])
        return [];
      const path = methodPath(ctx, index, "r");
      return [
        {
          path,
          message: `The adapter in \`${from ?? ""}\` has rank ${rank}, and \`r\` is ${config["r"]}.`,
          remedy: `Write \`r: ${rank}\`.`,
          fixes: writing(ctx, path, String(rank)),
        },
      ];
    }),
};
