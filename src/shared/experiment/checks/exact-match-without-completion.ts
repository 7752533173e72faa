/** @file Exact match of examples that have no completion. */
import type { Check } from "./check.ts";

export const exactMatchWithoutCompletion: Check = {
  code: "exact-match-without-completion",
  severity: "error",
  doc: "Exact match compares a generated completion with the example's; plain text has none.",
  find({ task, data: { format }, eval: { metrics, final } }) {
    if (task !== "causal-lm" || format !== "text") return [];
    const lists = [
      ["eval.metrics", metrics ?? []],
      ["eval.final", final],
    ] as const;
    return lists.flatMap(([path, list]) =>
      list.flatMap(({ type }, index) =>
        type === "exact_match"
          ? [
              {
                path: `${path}.${index}`,
                message: "`exact_match` needs completions, and these examples are plain text.",
                remedy: "Use `format: prompt-completion` or `messages`.",
              },
            ]
          : [],
      ),
    );
  },
};
