/** @file Adapters on attention alone. */
import { replace } from "../edits.ts";
import { nodeAt } from "../tree.ts";
import type { Check } from "./check.ts";

const attention = /^(?:[qkvo]_proj|qkv_proj|out_proj|c_attn|query|key|value|query_key_value)$/;

export const attentionOnlyTargets: Check = {
  code: "attention-only-targets",
  severity: "info",
  doc: "At equal numbers of parameters, adapters on all linear layers learn more than those on attention alone (Schulman and Thinking Machines Lab, LoRA Without Regret, 2025).",
  find: ({ method }, { document }) =>
    // Of several entries another may act at the feed-forward layers.
    (method.length > 1 ? [] : method).flatMap(({ target_modules: targets }) => {
      const only =
        targets !== null &&
        typeof targets !== "string" &&
        targets.length > 0 &&
        targets.every((name) => attention.test(name.slice(name.lastIndexOf(".") + 1)));
      if (!only) return [];
      const path = ["method", "target_modules"];
      const at = nodeAt(document, path)?.at;
      return [
        {
          path,
          message: "Only attention is adapted; the feed-forward layers learn nothing.",
          remedy: "`target_modules: all-linear` adapts both; a smaller rank keeps the size.",
          ...(at !== undefined &&
            at.start < at.end && {
              fix: { title: "Write `all-linear`", edits: [replace(at, "all-linear")] },
            }),
        },
      ];
    }),
};
